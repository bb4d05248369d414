import type { Built } from './layout.js';

/** A part of a page that can be found: from one heading to the next. */
interface Entry {
  page: string;
  heading: string;
  href: string;
  text: string;
}

const textOf = (html: string): string =>
  html
    .replace(/<a class="anchor"[^>]*>#<\/a>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();

function entriesOf({ page, title, html }: Built): Entry[] {
  // Each piece begins with the rest of its heading's tag: `2 id="…">Heading</h2> text`.
  const [, ...pieces] = html.split(/<h(?=[1-4] id=")/);
  return pieces.map((piece) => {
    const id = /id="([^"]*)"/.exec(piece)?.[1] ?? '';
    const end = piece.search(/<\/h[1-4]>/);
    return {
      page: title,
      heading: textOf(piece.slice(piece.indexOf('>') + 1, end)),
      href: `${page.slug}.html#${id}`,
      text: textOf(piece.slice(end)).slice(0, 4000),
    };
  });
}

/** As a script and not as JSON, so that a page opened from a folder finds it too. */
export const searchIndex = (pages: Built[]): string =>
  `window.searchIndex = ${JSON.stringify(pages.flatMap(entriesOf))};\n`;
