import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const left = new Set(['node_modules', 'dist', 'build', '.git']);

/** Every file and folder of the checkout, from its root. */
function walk(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (left.has(entry.name)) return [];
    const name = path.posix.join(folder, entry.name);
    return entry.isDirectory() ? [`${name}/`, ...walk(name)] : [name];
  });
}
const all = walk('.');

/** Words set as code that look like a file or a folder of the checkout. */
function pathsIn(text: string): string[] {
  const spans = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(
    (found) => found[1] ?? '',
  );
  return [...new Set(spans)].filter(
    (span) =>
      /^[\w.@-]+(\/[\w.@-]+)*\/?$/.test(span) &&
      (span.includes('/') || /\.(ts|tsx|mjs|md|json|yml|css)$/.test(span)) &&
      // A name of a package, a project or a metric, what a build writes, or a name to put one's own in.
      !/^(@|lab\/|system\/)|^(build|dist)\/|NAME|NNN?_|VERSION/.test(span) &&
      !/^(mycloud|floyd)\.yml$|^\.mycloud\.json$/.test(span),
  );
}

/** A bare name, such as `runner.ts` or `jobs/`, belongs to a folder that the sentence named before. */
const isThere = (name: string): boolean =>
  existsSync(path.join(root, name)) || all.some((one) => one === name || one.endsWith(`/${name}`));

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (document) => {
  const named = pathsIn(readFileSync(path.join(root, document), 'utf8'));

  it('names paths', () => {
    expect(named.length).toBeGreaterThan(15);
  });

  it.each(named)('%s is there', (name) => {
    expect(isThere(name)).toBe(true);
  });
});

it('sees a path that is not there', () => {
  expect(pathsIn('in `apps/api/src/gone.ts`, at `/v1`, by `npm run x`')).toEqual(['apps/api/src/gone.ts']);
  expect(isThere('apps/api/src/gone.ts')).toBe(false);
});
