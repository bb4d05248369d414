const root = document.documentElement;
const themeButton = document.getElementById('theme');
const label = () => {
  themeButton.textContent = root.dataset.theme === 'dark' ? 'Light' : 'Dark';
};
label();
themeButton.addEventListener('click', () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  label();
  try {
    localStorage.setItem('theme', root.dataset.theme);
  } catch {
    // A page opened from a folder may not remember.
  }
});

const menu = document.getElementById('menu');
menu.addEventListener('click', () => {
  const open = menu.getAttribute('aria-expanded') !== 'true';
  menu.setAttribute('aria-expanded', String(open));
  document.getElementById('pages').classList.toggle('open', open);
});

const input = document.getElementById('search');
const list = document.getElementById('found');
let chosen = -1;

/** Parts that hold every word, those with them in the heading first. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return window.searchIndex
    .map((entry) => {
      const heading = `${entry.page} ${entry.heading}`.toLowerCase();
      const body = entry.text.toLowerCase();
      let score = 0;
      for (const word of words) {
        if (entry.heading.toLowerCase().includes(word)) score += 10;
        else if (heading.includes(word)) score += 5;
        else if (body.includes(word)) score += 1;
        else return { entry, score: 0 };
      }
      return { entry, score };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 12)
    .map(({ entry }) => ({ ...entry, snippet: snippet(entry.text, words[0]) }));
}

function snippet(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  return `${at > 0 ? '…' : ''}${text.slice(at, at + 110)}…`;
}

function choose(index) {
  const items = [...list.children];
  chosen = items.length === 0 ? -1 : (index + items.length) % items.length;
  items.forEach((item, i) => {
    item.setAttribute('aria-selected', String(i === chosen));
  });
  if (chosen >= 0) {
    input.setAttribute('aria-activedescendant', items[chosen].id);
    items[chosen].scrollIntoView({ block: 'nearest' });
  } else input.removeAttribute('aria-activedescendant');
}

function show(found, asked) {
  list.replaceChildren(
    ...found.map(({ page, heading, href, snippet: text }, i) => {
      const item = document.createElement('li');
      item.id = `found-${i}`;
      item.setAttribute('role', 'option');
      const title = document.createElement('b');
      title.textContent = page === heading ? heading : `${page} · ${heading}`;
      const more = document.createElement('span');
      more.textContent = text;
      item.append(title, more);
      item.addEventListener('click', () => go(href));
      return item;
    }),
  );
  if (asked && found.length === 0) {
    const none = document.createElement('li');
    none.setAttribute('role', 'option');
    none.setAttribute('aria-disabled', 'true');
    none.textContent = 'Nothing has all these words.';
    list.append(none);
  }
  list.hidden = !asked;
  input.setAttribute('aria-expanded', String(asked));
  choose(0);
}

function go(href) {
  show([], false);
  location.href = href;
}

let hits = [];
input.addEventListener('input', () => {
  hits = find(input.value);
  show(hits, input.value.trim() !== '');
});
input.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    choose(chosen + (event.key === 'ArrowDown' ? 1 : -1));
  } else if (event.key === 'Enter' && hits[chosen]) go(hits[chosen].href);
  else if (event.key === 'Escape') show([], false);
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  input.focus();
});
document.addEventListener('click', (event) => {
  if (!event.target.closest('.search')) show([], false);
});
