const attributes = /(?:href|src)="([^"]*)"/g;
const ids = /\sid="([^"]*)"/g;

const unescaped = (text: string): string => text.replace(/&quot;/g, '"').replace(/&amp;/g, '&');

/**
 * Every link of the site that leads nowhere: to a file that isn't there, or to an anchor its page doesn't have.
 * @param pages by file name
 * @param files what else the site holds
 */
export function brokenLinks(pages: Map<string, string>, files: ReadonlySet<string>): string[] {
  const anchors = new Map(
    [...pages].map(([file, html]) => [file, new Set([...html.matchAll(ids)].map((found) => found[1]))]),
  );
  const broken: string[] = [];
  for (const [file, html] of pages) {
    for (const [, escaped = ''] of html.matchAll(attributes)) {
      const href = unescaped(escaped);
      if (/^[a-z][a-z0-9+.-]*:/i.test(href)) continue;
      const [target = '', anchor = ''] = href.split('#');
      const there = target || file;
      if (!pages.has(there) && !files.has(there)) broken.push(`${file}: ${href} is not there`);
      else if (anchor && !anchors.get(there)?.has(decodeURIComponent(anchor)))
        broken.push(`${file}: ${href} has no such heading`);
    }
  }
  return [...new Set(broken)];
}
