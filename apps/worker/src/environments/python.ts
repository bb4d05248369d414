import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { EnvironmentError, type PreparedEnvironment } from './environment.js';

export interface PythonBuild {
  /** Holds one folder an environment, named by its content. */
  root: string;
  requirements: string[];
  path: string;
  say: (line: string) => void;
  signal: AbortSignal;
}

const building = new Map<string, Promise<void>>();

/** Reads the requirements a job's code brings with it. */
export function codeRequirements(codeDir: string): string[] {
  return ['floyd_requirements.txt', 'requirements.txt'].flatMap((name) => {
    const file = path.join(codeDir, name);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  });
}

/** A virtual environment with these requirements: built once, however many jobs ask at the same time. */
export async function preparePython(build: PythonBuild): Promise<PreparedEnvironment> {
  const content = JSON.stringify([build.requirements, process.arch]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const dir = path.join(build.root, `python-${hash}`);
  const ready = path.join(dir, '.ready');
  while (!existsSync(ready)) {
    build.signal.throwIfAborted();
    const running = building.get(dir);
    if (running) {
      build.say('another job builds this environment; waiting for it');
      // Its failure is its own (it may merely have been stopped); this one then builds for itself.
      await running.catch(() => undefined);
      continue;
    }
    const task = buildVenv(dir, build).finally(() => building.delete(dir));
    building.set(dir, task);
    await task;
  }
  const bin = path.join(dir, 'bin');
  const base = path.dirname(path.dirname(realpathSync(path.join(bin, 'python'))));
  return { bins: [bin], readOnly: [dir, base], variables: { VIRTUAL_ENV: dir } };
}

/** A venv holds absolute paths, so it is built in its place; the mark says that it is whole. */
async function buildVenv(dir: string, build: PythonBuild): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(path.dirname(dir), { recursive: true });
  const python = path.join(dir, 'bin/python');
  const hasUv = build.path.split(path.delimiter).some((folder) => existsSync(path.join(folder, 'uv')));
  build.say(`building a Python environment with ${hasUv ? 'uv' : 'venv and pip'}`);
  await run(hasUv ? ['uv', 'venv', '--quiet', dir] : ['python3', '-m', 'venv', dir], build);
  if (build.requirements.length > 0) {
    const list = path.join(dir, 'requirements.txt');
    await writeFile(list, `${build.requirements.join('\n')}\n`);
    const pip = [
      python,
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '--progress-bar',
      'off',
      '-r',
      list,
    ];
    await run(hasUv ? ['uv', 'pip', 'install', '--python', python, '-r', list] : pip, build);
  }
  await writeFile(path.join(dir, '.ready.tmp'), '');
  await rename(path.join(dir, '.ready.tmp'), path.join(dir, '.ready'));
}

function run(argv: string[], build: PythonBuild): Promise<void> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: build.path, HOME: build.root, LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: build.signal,
    });
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.trim()) return;
        build.say(line);
        last.push(line);
        if (last.length > 5) last.shift();
      });
    }
    child.on('error', (error) => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      reject(missing ? new EnvironmentError(`${command} is not installed on this worker`) : error);
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const words = last.findLast((line) => /error/i.test(line)) ?? last.at(-1);
      reject(new EnvironmentError(words ?? `${command} ended with ${code ?? signal}`));
    });
  });
}
