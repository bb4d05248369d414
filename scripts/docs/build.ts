import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { cliText } from './cli.js';
import { type Built, layout } from './layout.js';
import { brokenLinks } from './links.js';
import { renderMarkdown, targetOf } from './markdown.js';
import { openApiText } from './openapi.js';
import { type Page, sectionsOf } from './pages.js';
import { searchIndex } from './search.js';

const assets = path.join(import.meta.dirname, 'assets');

function textOf(root: string, page: Page): string {
  if (page.kind === 'cli') return cliText();
  const text = readFileSync(path.join(root, page.source), 'utf8');
  return page.kind === 'openapi' ? openApiText(JSON.parse(text)) : text;
}

/**
 * Builds the site of the documents.
 * @param root of the repository
 * @param out a folder, which is emptied first
 * @returns what is wrong with it: links to files or headings that aren't there
 */
export function buildSite(root: string, out: string): string[] {
  const sections = sectionsOf(root);
  const slugs = new Map(sections.flatMap(({ pages }) => pages.map((page) => [page.source, page.slug])));
  const broken: string[] = [];
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });

  /** To another page of the site, or to a file of the repository, which is laid beside it. */
  const resolve = (page: Page) => (href: string) => {
    const target = targetOf(page.kind === 'markdown' ? page.source : `docs/${page.slug}`, href);
    if (!target) return href;
    const slug = slugs.get(target.file) ?? slugs.get(target.file.replace(/^docs\/docs\//, 'docs/'));
    const anchor = target.anchor ? `#${target.anchor}` : '';
    if (slug) return target.file === page.source && anchor ? anchor : `${slug}.html${anchor}`;
    const file = path.join(root, target.file);
    if (!existsSync(file) || !statSync(file).isFile()) {
      broken.push(`${page.source}: ${href} is not there`);
      return href;
    }
    mkdirSync(path.dirname(path.join(out, target.file)), { recursive: true });
    cpSync(file, path.join(out, target.file));
    return target.file;
  };

  const built = sections.map((section) => ({
    section,
    built: section.pages.map((page): Built => {
      const { html, headings } = renderMarkdown(textOf(root, page), resolve(page));
      return { page, title: page.title ?? headings[0]?.text ?? page.slug, html, headings };
    }),
  }));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const all = built.flatMap((one) => one.built);
  const pages = new Map(all.map((one) => [`${one.page.slug}.html`, layout(built, one, version)]));
  for (const [file, html] of pages) writeFileSync(path.join(out, file), html);
  writeFileSync(path.join(out, 'search-index.js'), searchIndex(all));
  cpSync(assets, out, { recursive: true });
  cpSync(path.join(root, 'apps/web/src/icon.svg'), path.join(out, 'icon.svg'));
  const files = new Set(
    readdirSync(out, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/')),
  );
  return [...new Set([...broken, ...brokenLinks(pages, files)])];
}
