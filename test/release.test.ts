import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { version } from '@mycloud/shared';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { release } from '../scripts/release.js';

const root = path.resolve(import.meta.dirname, '..');
const packages = ['apps', 'packages'].flatMap((group) =>
  readdirSync(path.join(root, group))
    .map((name) => `${group}/${name}/package.json`)
    .filter((file) => existsSync(path.join(root, file))),
);
const places = ['package.json', ...packages];

const folders: string[] = [];
let folder: string;
/** What a release touches, as it lies in this checkout. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mycloud-release-'));
  folders.push(folder);
  for (const file of [
    ...places,
    'package-lock.json',
    'CHANGELOG.md',
    'docs/openapi.json',
    'packages/shared/src/version.ts',
  ]) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    cpSync(path.join(root, file), path.join(folder, file));
  }
});
afterAll(async () => {
  for (const one of folders) await rm(one, { recursive: true, force: true });
});

const read = (file: string, from = folder) => readFileSync(path.join(from, file), 'utf8');
const versionOf = (file: string, from = folder) => JSON.parse(read(file, from)).version as string;
const changes = (list: string) =>
  writeFile(
    path.join(folder, 'CHANGELOG.md'),
    `# Changelog\n\n## [Unreleased]\n\n${list}## [0.0.1] - 2020-01-01\n`,
  );

describe('the version', () => {
  it('is one in every package, the contracts, the API and the changelog', () => {
    for (const file of places) expect(versionOf(file, root), file).toBe(version);
    expect(JSON.parse(read('docs/openapi.json', root)).info.version).toBe(version);
    expect(/^## \[(\d.*?)\]/m.exec(read('CHANGELOG.md', root))?.[1]).toBe(version);
  });

  it('is written everywhere by a release, and what was unreleased is its own', async () => {
    await changes('### Added\n\n- A thing.\n\n');
    release(folder, '97.1.0', '2031-02-03');
    for (const file of [...places, 'package-lock.json']) expect(versionOf(file), file).toBe('97.1.0');
    const lock = JSON.parse(read('package-lock.json')).packages;
    for (const file of packages) expect(lock[path.dirname(file)].version, file).toBe('97.1.0');
    expect(read('packages/shared/src/version.ts')).toContain("version = '97.1.0'");
    expect(read('CHANGELOG.md')).toBe(
      '# Changelog\n\n## [Unreleased]\n\n## [97.1.0] - 2031-02-03\n\n### Added\n\n- A thing.\n\n## [0.0.1] - 2020-01-01\n',
    );
    // Nothing but versions differ from what lies here.
    expect(read('package-lock.json').replaceAll('97.1.0', version)).toBe(read('package-lock.json', root));
    expect(read('docs/openapi.json').replaceAll('97.1.0', version)).toBe(read('docs/openapi.json', root));
  });

  it.each([
    { given: '0.0.1', says: /not later than/ },
    { given: 'next', says: /is no version/ },
    { given: undefined, says: /is no version/ },
  ])('$given is refused, and nothing is written', async ({ given, says }) => {
    await changes('- A thing.\n\n');
    expect(() => release(folder, given, '2031-02-03')).toThrow(says);
    expect(versionOf('package.json')).toBe(version);
  });

  it('is refused while the changelog lists nothing', async () => {
    await changes('');
    expect(() => release(folder, '97.1.0', '2031-02-03')).toThrow(/lists nothing/);
    expect(versionOf('package.json')).toBe(version);
  });
});
