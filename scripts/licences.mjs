// Writes docs/licences.md from package-lock.json: what is installed, under which licence. With --check it only compares, and fails
// where they differ, where a package isn't pinned to its content, or has a licence that nobody looked at yet.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './ensure.mjs';

const file = path.join(root, 'docs/licences.md');
/** Packages whose field `license` says nothing, with what their own file says. */
const named = new Map([
  ['ssh2', 'MIT'],
  ['buildcheck', 'MIT'],
  ['cpu-features', 'MIT'],
  ['h5wasm', 'NIST (free, with its notice kept)'],
  ['jsfive', 'public domain, on BSD-3-Clause'],
]);
/** Looked at; none of them asks anything of those who run mycloud. */
const known = new Set([
  ...[
    'MIT',
    'ISC',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'BlueOak-1.0.0',
    'Unlicense',
    'CC0-1.0',
  ],
  ...[
    'Python-2.0',
    'CC-BY-4.0',
    'MIT-0',
    'MIT OR Apache-2.0',
    '(MIT OR Apache-2.0)',
    'MIT and ISC',
    'MIT AND ISC',
  ],
  ...['(MIT AND Zlib)', ...named.values()],
  // Weak copyleft: of the file or the library alone, which are used unchanged.
  ...[
    'MPL-2.0',
    'LGPL-3.0-or-later',
    'Apache-2.0 AND LGPL-3.0-or-later',
    'Apache-2.0 AND LGPL-3.0-or-later AND MIT',
    'EPL-2.0',
  ],
]);

const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
const packages = Object.entries(lock.packages)
  .filter(([at, one]) => at.includes('node_modules/') && !one.link)
  .map(([at, one]) => {
    const name = at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return { ...one, name, license: named.get(name) ?? one.license ?? 'not said' };
  });

const faults = packages.flatMap(({ name, version, license, integrity, inBundle, resolved }) => [
  ...(integrity || inBundle ? [] : [`${name}@${version} is not pinned by its hash`]),
  ...(resolved ? [`${name}@${version} names the registry it came from`] : []),
  ...(known.has(license)
    ? []
    : [`${name}@${version} has the licence "${license}", which is not among the known ones`]),
]);

const used = ({ dev, optional, devOptional }) => (dev || devOptional ? 'dev' : optional ? 'optional' : 'run');
const byLicense = Map.groupBy
  ? Map.groupBy(packages, (one) => one.license)
  : packages.reduce((map, one) => map.set(one.license, [...(map.get(one.license) ?? []), one]), new Map());
const section = ([license, ones]) => {
  const lines = ['run', 'optional', 'dev'].flatMap((kind) => {
    const names = [
      ...new Set(ones.filter((one) => used(one) === kind).map((one) => `${one.name} ${one.version}`)),
    ];
    const what = { run: 'when it runs', optional: 'where the system takes it', dev: 'to build and test' }[
      kind
    ];
    return names.length === 0 ? [] : [`- ${what}: ${names.sort().join(', ')}`];
  });
  return [`## ${license} (${ones.length})`, '', ...lines, ''];
};
const text = [
  '# Licences of what mycloud stands on',
  '',
  'Written by `npm run licences` from package-lock.json, which pins every package to a version and the hash of its content. mycloud itself is under the MIT licence.',
  '',
  ...[...byLicense].sort(([, a], [, b]) => b.length - a.length).flatMap(section),
].join('\n');

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text)
  faults.push('docs/licences.md is not of this lock file: run `npm run licences`');
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
