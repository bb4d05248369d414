import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Environment, shellQuoted } from '@mycloud/shared';
import type { BuildSandbox } from './build-sandbox.js';
import { type Asker, EnvironmentError, type JobCode } from './environment.js';
import { findProgram, type Python, type Pythons } from './pythons.js';
import { readRequirements } from './requirements.js';
import { type Build, runProgram } from './run-program.js';
import type { Shelf } from './shelf.js';

/** Where environments are built, and what with. */
export interface Workshop {
  shelf: Shelf;
  pythons: Pythons;
  root: string;
  path: string;
  variables: Record<string, string>;
  sandbox: BuildSandbox | undefined;
}

/** A Python with packages: an interpreter, or a virtual environment that may stand on another's packages. */
export interface Layer {
  /** Names its content. */
  key: string;
  python: Python;
  /** The folder of its own; none for an interpreter. */
  dir: string | null;
  bins: string[];
  readOnly: string[];
  /** Folders of packages, the nearest first. */
  sites: string[];
  folders: string[];
  release(): void;
}

interface Content {
  environment: string;
  lines: string[];
  constraints?: string[];
  /** Folders of the code, which are copied: a build writes beside what it builds. */
  local?: { paths: string[]; code: JobCode };
}

/**
 * The Python of an environment with its own packages and those that the code asks for. What comes from the network is
 * one layer, what is installed of the code itself another on top: a changed script costs no second download.
 */
export async function preparePython(
  shop: Workshop,
  environment: Environment,
  code: JobCode | null,
  asker: Asker,
): Promise<Layer & { own: boolean }> {
  const own = code ? readRequirements(code.dir) : { lines: [], constraints: [], local: [], hashed: false };
  const { name, requirements } = environment;
  let layer = await groundOf(shop, environment);
  const add = async (content: Omit<Content, 'environment'>): Promise<void> => {
    const below = layer;
    try {
      layer = await addLayer(shop, below, { environment: name, ...content }, asker);
    } catch (error) {
      below.release();
      throw error;
    }
  };
  // One resolution for both, so that a contradiction is found; pip wants hashes of all or none.
  const together = own.hashed ? requirements : [...requirements, ...own.lines];
  const constraints = own.hashed ? [] : own.constraints;
  const isGiven = environment.python !== undefined;
  if (!isGiven || together.length > 0) await add({ lines: together, constraints });
  if (own.hashed) await add({ lines: own.lines, constraints: own.constraints });
  if (code && own.local.length > 0) await add({ lines: [], local: { paths: own.local, code } });
  return { ...layer, own: own.lines.length + own.local.length > 0 };
}

/** What an environment stands on: the interpreter it names, as it is, or one of the right version. */
async function groundOf(shop: Workshop, environment: Environment): Promise<Layer> {
  const { name, python: given, pythonVersions = [] } = environment;
  const ground = (python: Python, more: Pick<Layer, 'bins' | 'readOnly' | 'sites'>): Layer => ({
    key: `${python.version} ${python.prefix}`,
    python,
    dir: null,
    folders: [],
    release: () => undefined,
    ...more,
  });
  if (given === undefined) {
    const uv = findProgram('uv', shop.path);
    const found = shop.pythons.find(name, pythonVersions);
    // uv brings the version that isn't here.
    const python = await (uv ? found.catch(() => null) : found);
    const [version = '3'] = pythonVersions;
    const none = { program: '', version, prefix: '', site: '' };
    return ground(python ?? none, { bins: [], readOnly: [], sites: [] });
  }
  const python = await shop.pythons.ask(given);
  if (!python) throw new EnvironmentError(`${name} is ${given}, and there is no Python on this worker`);
  const bin = path.join(shop.root, `interpreter-${hash(given)}`);
  await mkdir(bin, { recursive: true });
  for (const word of ['python', 'python3']) {
    await writeFile(path.join(bin, word), `#!/bin/sh\nexec ${shellQuoted(given)} "$@"\n`);
    await chmod(path.join(bin, word), 0o755);
  }
  const folder = path.dirname(given);
  const layer = ground(python, {
    bins: [bin, folder],
    readOnly: [bin, path.dirname(folder), python.prefix],
    sites: [python.site],
  });
  return { ...layer, key: `${layer.key} ${given}` };
}

async function addLayer(shop: Workshop, below: Layer, content: Content, asker: Asker): Promise<Layer> {
  const { environment, lines, constraints = [], local } = content;
  const code = local && [local.paths, local.code.hash ?? stampOf(local.code.dir)];
  const key = hash(JSON.stringify([below.key, lines, constraints, code, process.arch]));
  const name = `python-${key}`;
  const { dir, release } = await shop.shelf.get(
    {
      name,
      environment,
      packages: [...lines, ...(local?.paths ?? [])],
      async make(folder, all) {
        const build = { ...shop, dir: folder, ...all };
        await makeVenv(folder, below, environment, shop.pythons, build);
        await install(folder, content, build);
        return below.folders;
      },
    },
    asker,
  );
  const program = path.join(dir, 'bin/python');
  const python = await shop.pythons.ask(program);
  if (!python) {
    release();
    throw new EnvironmentError(
      `the Python that ${environment} was built with is gone from this worker; remove it with \`mycloud env delete ${environment}\``,
    );
  }
  return {
    key,
    python,
    dir,
    bins: [path.join(dir, 'bin'), ...below.bins],
    readOnly: [dir, python.prefix, ...below.readOnly],
    sites: [python.site, ...below.sites],
    folders: [name, ...below.folders],
    release() {
      release();
      below.release();
    },
  };
}

/** A venv holds absolute paths, so it is made in its place. On a layer it finds that one's packages after its own. */
async function makeVenv(
  dir: string,
  below: Layer,
  environment: string,
  pythons: Pythons,
  build: Build,
): Promise<void> {
  const uv = findProgram('uv', build.path);
  const { program, version } = below.python;
  const upper = below.sites.length > 0;
  const tool = uv ? 'uv' : 'venv and pip';
  build.say(`building ${environment} with ${tool}, Python ${version}`);
  if (program) {
    const argv = [program, '-m', 'venv', ...(upper ? ['--without-pip'] : []), dir];
    await runProgram(argv, build).catch((error: unknown) => {
      build.signal.throwIfAborted();
      if (!uv) throw error;
      return runProgram([uv, 'venv', '--quiet', '--seed', '--clear', '--python', program, dir], build);
    });
  } else if (uv) {
    await runProgram([uv, 'venv', '--quiet', '--seed', '--python', version, dir], build);
  }
  if (!upper) return;
  const own = await pythons.ask(path.join(dir, 'bin/python'));
  if (!own) throw new EnvironmentError(`${program} makes virtual environments that do not run`);
  const found = below.sites.map((site) => `import site; site.addsitedir(${JSON.stringify(site)})`);
  await writeFile(path.join(own.site, 'mycloud-below.pth'), `${found.join('\n')}\n`);
}

async function install(dir: string, content: Content, build: Build): Promise<void> {
  const { lines, constraints = [], local } = content;
  if (lines.length === 0 && !local) return;
  const list = path.join(dir, 'requirements.txt');
  await writeFile(list, `${lines.join('\n')}\n`);
  const limits = path.join(dir, 'constraints.txt');
  if (constraints.length > 0) await writeFile(limits, `${constraints.join('\n')}\n`);
  const what = [
    ...(lines.length > 0 ? ['-r', list] : []),
    ...(constraints.length > 0 ? ['-c', limits] : []),
    ...(local?.paths ?? []),
  ];
  const python = path.join(dir, 'bin/python');
  const quiet = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--retries', '3'];
  const uv = findProgram('uv', build.path);
  // What stands on other packages is left to pip, which sees them.
  const argv =
    uv && !local ? [uv, 'pip', 'install', '--python', python] : [python, '-m', 'pip', 'install', ...quiet];
  let cwd: string | undefined;
  if (local) {
    cwd = `${dir}.code`;
    await cp(local.code.dir, cwd, { recursive: true, verbatimSymlinks: true });
  }
  await runProgram([...argv, ...what], build, cwd);
}

/** Changes when a file of a folder does. */
function stampOf(dir: string): string {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stamps = files.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  return hash(stamps.sort().join('\n'));
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
