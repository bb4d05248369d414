import { escapeHtml, type Heading } from './markdown.js';
import type { Page, Section } from './pages.js';

export interface Built {
  page: Page;
  title: string;
  html: string;
  headings: Heading[];
}

const fileOf = (slug: string): string => `${slug}.html`;

function navigation(sections: { section: Section; built: Built[] }[], here: Built): string {
  const entries = sections.map(({ section, built }) => {
    const links = built.map((one) => {
      const current = one === here ? ' aria-current="page"' : '';
      return `<li><a href="${fileOf(one.page.slug)}"${current}>${escapeHtml(one.title)}</a></li>`;
    });
    return `<h2>${section.title}</h2><ul>${links.join('')}</ul>`;
  });
  return entries.join('\n');
}

function contents(headings: Heading[]): string {
  const links = headings.filter(({ depth }) => depth === 2 || depth === 3);
  if (links.length < 2) return '';
  const items = links.map(
    ({ depth, text, id }) => `<li class="depth-${depth}"><a href="#${id}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${items.join('')}</ul></nav>`;
}

function neighbours(all: Built[], here: Built): string {
  const at = all.indexOf(here);
  const link = (one: Built | undefined, rel: string, label: string) =>
    one
      ? `<a rel="${rel}" href="${fileOf(one.page.slug)}"><small>${label}</small>${escapeHtml(one.title)}</a>`
      : '<span></span>';
  return `<nav class="neighbours" aria-label="Pages before and after">${link(all[at - 1], 'prev', 'Before')}${link(all[at + 1], 'next', 'Next')}</nav>`;
}

/** One page of the site, which needs nothing but the files beside it. */
export function layout(
  sections: { section: Section; built: Built[] }[],
  here: Built,
  version: string,
): string {
  const all = sections.flatMap(({ built }) => built);
  const heading = `${escapeHtml(here.title)} · mycloud`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading}</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="style.css">
<script src="theme.js"></script>
<script src="search-index.js" defer></script>
<script src="site.js" defer></script>
</head>
<body>
<a class="skip" href="#content">To the text</a>
<header>
<button type="button" id="menu" aria-expanded="false" aria-controls="pages">Pages</button>
<a class="name" href="index.html"><img src="icon.svg" alt="" width="24" height="24">mycloud <small>${escapeHtml(version)}</small></a>
<div class="search" role="search">
<input type="search" id="search" placeholder="Search  /" aria-label="Search the documentation" autocomplete="off" role="combobox" aria-expanded="false" aria-controls="found" aria-autocomplete="list">
<ul id="found" class="found" role="listbox" aria-label="Found" hidden></ul>
</div>
<button type="button" id="theme">Dark</button>
</header>
<div class="columns">
<nav id="pages" class="pages" aria-label="Pages">${navigation(sections, here)}</nav>
<main id="content" tabindex="-1">
${here.html}
${neighbours(all, here)}
</main>
${contents(here.headings)}
</div>
</body>
</html>
`;
}
