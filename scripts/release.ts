// `npm run release -- VERSION`: one version in every place that holds it, and the changelog's list of what is unreleased under it.
// It changes files and nothing else: the commit, the tag and the package are made by whoever looked at the diff.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const form = /^(\d+)\.(\d+)\.(\d+)$/;

const partsOf = (version: string): number[] => (form.exec(version)?.slice(1) ?? []).map(Number);

function isLater(version: string, than: string): boolean {
  const [a, b] = [partsOf(version), partsOf(than)];
  const differs = a.findIndex((part, i) => part !== b[i]);
  return differs >= 0 && (a[differs] ?? 0) > (b[differs] ?? 0);
}

const workspacesOf = (folder: string): string[] =>
  ['apps', 'packages'].flatMap((group) =>
    readdirSync(path.join(folder, group))
      .map((name) => `${group}/${name}`)
      .filter((name) => existsSync(path.join(folder, name, 'package.json'))),
  );

/** What is listed as unreleased becomes this version's. @throws Error when nothing is listed */
function releasedChangelog(text: string, version: string, date: string): string {
  const [, before, list = '', after = ''] =
    /^([\s\S]*?## \[Unreleased\]\n)([\s\S]*?)((?:\n## \[[\s\S]*)?)$/.exec(text) ?? [];
  if (before === undefined)
    throw new Error('CHANGELOG.md has no heading "## [Unreleased]"; add it above the newest release');
  if (!/^- /m.test(list))
    throw new Error(
      'CHANGELOG.md lists nothing under [Unreleased]; say there what users see of this release',
    );
  return `${before}\n## [${version}] - ${date}\n${list}${after}`;
}

/**
 * Writes a version everywhere in a checkout.
 * @param date of the release, YYYY-MM-DD
 * @returns the files written
 * @throws Error, before anything is written, for a version that is none or no later than the present one, or an empty changelog
 */
export function release(folder: string, version: string | undefined, date: string): string[] {
  const file = (name: string) => path.join(folder, name);
  const read = (name: string) => readFileSync(file(name), 'utf8');
  const json = (name: string) => JSON.parse(read(name));
  const present = json('package.json').version;
  if (!version || !form.test(version)) throw new Error(`"${version ?? ''}" is no version; give one as 1.2.3`);
  if (!isLater(version, present))
    throw new Error(`${version} is not later than ${present}, the present version`);
  const written = new Map([['CHANGELOG.md', releasedChangelog(read('CHANGELOG.md'), version, date)]]);
  const workspaces = workspacesOf(folder);
  const writeJson = (name: string, value: unknown) =>
    written.set(name, `${JSON.stringify(value, undefined, 2)}\n`);
  for (const name of ['package.json', ...workspaces.map((one) => `${one}/package.json`)])
    writeJson(name, { ...json(name), version });
  const lock = json('package-lock.json');
  lock.version = version;
  for (const name of ['', ...workspaces]) lock.packages[name].version = version;
  writeJson('package-lock.json', lock);
  const description = json('docs/openapi.json');
  description.info.version = version;
  writeJson('docs/openapi.json', description);
  const contract = 'packages/shared/src/version.ts';
  written.set(contract, read(contract).replace(`'${present}'`, `'${version}'`));
  for (const [name, text] of written) writeFileSync(file(name), text);
  return [...written.keys()];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const dirty = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
    if (dirty)
      throw new Error(`there are changes that are not committed; commit or stash them first:\n${dirty}`);
    const version = process.argv[2];
    const files = release(root, version, new Date().toISOString().slice(0, 10));
    process.stdout.write(`${files.join('\n')}\n`);
    process.stderr.write(
      `Look at the diff, then: git commit -am "Release ${version}" && git tag v${version} && npm run pack\n`,
    );
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
