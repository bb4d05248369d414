import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { answered } from '../retry.js';
import { EnvironmentError } from './environment.js';
import { type Build, runProgram } from './run-program.js';

/** Where tfjs-node's own install step finds libtensorflow and its binding. */
const DOWNLOADS =
  'https://storage.googleapis.com/tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz';

/** Whether that download can be had; a network that swallows packets is given five seconds. */
export async function downloadable(signal: AbortSignal): Promise<boolean> {
  const asked = answered((limit) => fetch(DOWNLOADS, { method: 'HEAD', signal: limit }), signal, 5000);
  return asked.then(
    (response) => response.ok,
    () => {
      signal.throwIfAborted();
      return false;
    },
  );
}

/** Installs tfjs-node into `dir` with its own binding and libtensorflow, which its install script downloads. */
export async function installTfjsNode(dir: string, npm: string[], build: Build): Promise<void> {
  await addPackages(dir, npm, [], build);
}

/**
 * Installs tfjs-node into `dir` without its downloads, and builds its binding (87 kB) against a TensorFlow wheel of
 * PyPI: the wheel holds the same C library under other names, and its headers. Linux.
 * @param tensorflow the wheel's folder `tensorflow`; it is linked to, not copied
 */
export async function buildTfjsNode(
  dir: string,
  npm: string[],
  tensorflow: string,
  build: Build,
): Promise<void> {
  build.say(`building tfjs-node's binding against ${tensorflow}`);
  await addPackages(dir, npm, ['--ignore-scripts'], build);
  const deps = depsOf(dir);
  await rm(deps, { recursive: true, force: true });
  await mkdir(path.join(deps, 'lib'), { recursive: true });
  const links = {
    include: path.join(tensorflow, 'include'),
    'lib/libtensorflow_framework.so.2': path.join(tensorflow, 'libtensorflow_framework.so.2'),
    'lib/libtensorflow_framework.so': 'libtensorflow_framework.so.2',
    // The wheel's C++ library holds the C API too; the binding keeps its SONAME, so that name must be found beside it.
    'lib/libtensorflow_cc.so.2': path.join(tensorflow, 'libtensorflow_cc.so.2'),
    'lib/libtensorflow.so': 'libtensorflow_cc.so.2',
  };
  for (const [link, target] of Object.entries(links)) await symlink(target, path.join(deps, link));
  const headers = nodePrefix();
  const argv = [path.join(dir, 'node_modules/.bin/node-pre-gyp'), 'install', '--build-from-source'];
  await runProgram(headers ? [...argv, `--nodedir=${headers}`] : argv, build, path.dirname(deps));
}

/** Where tfjs-node, or its sister for GPUs, looks for libtensorflow. */
function depsOf(dir: string): string {
  const scope = path.join(dir, 'node_modules/@tensorflow');
  const name = readdirSync(scope).find((entry) => entry.startsWith('tfjs-node'));
  if (!name) throw new EnvironmentError(`there is no @tensorflow/tfjs-node in ${dir}`);
  return path.join(scope, name, 'deps');
}

/** The folders outside `dir` that hold its libtensorflow. */
export function librariesOf(dir: string): string[] {
  const folder = path.dirname(realpathSync(path.join(depsOf(dir), 'lib/libtensorflow_framework.so.2')));
  return folder.startsWith(realpathSync(dir) + path.sep) ? [] : [folder];
}

async function addPackages(dir: string, npm: string[], flags: string[], build: Build): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, 'package.json'), '{ "private": true }\n');
  await runProgram(['npm', 'install', '--no-fund', '--no-audit', ...flags, ...npm], build, dir);
}

/** The folder whose include/node has Node's headers, as its releases have; node-gyp downloads them otherwise. */
function nodePrefix(): string | undefined {
  const own = path.dirname(path.dirname(realpathSync(process.execPath)));
  return [own, '/usr/local', '/usr'].find((prefix) =>
    existsSync(path.join(prefix, 'include/node/node_api.h')),
  );
}

/** The folder `tensorflow` among these packages. @throws EnvironmentError where there is none */
export function tensorflowOf(sites: readonly string[]): string {
  const folders = sites.map((site) => path.join(site, 'tensorflow'));
  const found = folders.find((folder) => existsSync(path.join(folder, 'libtensorflow_cc.so.2')));
  if (!found) throw new EnvironmentError(`there is no TensorFlow with its C library in ${sites.join(', ')}`);
  return found;
}
