import path from 'node:path';
import { Marked, type Tokens } from 'marked';

export interface Heading {
  depth: number;
  text: string;
  id: string;
}

export interface Rendered {
  html: string;
  headings: Heading[];
}

export const escapeHtml = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char,
  );

/** A heading's anchor, as GitHub makes it. @param taken those of the page so far; a second one gets -1 */
export function slugOf(text: string, taken: Set<string>): string {
  const base = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
  let slug = base;
  for (let n = 1; taken.has(slug); n++) slug = `${base}-${n}`;
  taken.add(slug);
  return slug;
}

/**
 * Markdown as GitHub reads it, into HTML.
 * @param resolve a link as the file has it → as the site has it
 */
export function renderMarkdown(text: string, resolve: (href: string) => string): Rendered {
  const headings: Heading[] = [];
  const taken = new Set<string>();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }: Tokens.Heading) {
        const inner = this.parser.parseInline(tokens);
        const plain = this.parser
          .parseInline(tokens, this.parser.textRenderer)
          .replace(/&#39;/g, "'")
          .replace(/&quot;/g, '"')
          .replace(/&amp;/g, '&');
        const id = slugOf(plain, taken);
        headings.push({ depth, text: plain, id });
        return `<h${depth} id="${id}">${inner} <a class="anchor" href="#${id}" aria-label="Link to this section">#</a></h${depth}>\n`;
      },
      link({ href, title, tokens }: Tokens.Link) {
        const named = title ? ` title="${escapeHtml(title)}"` : '';
        return `<a href="${escapeHtml(resolve(href))}"${named}>${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text: alt }: Tokens.Image) {
        return `<img src="${escapeHtml(resolve(href))}" alt="${escapeHtml(alt)}" loading="lazy">`;
      },
      code({ text: code, lang }: Tokens.Code) {
        const label = lang ? ` data-lang="${escapeHtml(lang)}"` : '';
        return `<pre tabindex="0"${label}><code>${escapeHtml(code)}</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const row = (cells: Tokens.TableCell[], tag: string) =>
          `<tr>${cells.map((cell) => `<${cell.header && !cell.text.trim() ? 'td' : tag}>${this.parser.parseInline(cell.tokens)}</${cell.header && !cell.text.trim() ? 'td' : tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="table" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>\n`;
      },
      // Remarks to the tests that type the blocks (<!-- not run: … -->); nothing else in the documents is HTML.
      html: () => '',
    },
  });
  return { html: marked.parse(text, { async: false }), headings };
}

/** What a link of a repository's file leads to. @returns a path from the root, and the part after #; undefined: elsewhere */
export function targetOf(source: string, href: string): { file: string; anchor: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) return undefined;
  const [file = '', anchor = ''] = href.split('#');
  return { file: file ? path.posix.join(path.posix.dirname(source), file) : source, anchor };
}
