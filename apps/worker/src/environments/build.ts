import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { EnvironmentError } from './environment.js';

/** What a build of an environment is given. */
export interface Build {
  /** Holds one folder an environment, named by its content. */
  root: string;
  /** Where programs are looked for. */
  path: string;
  /** Told what is being done, line by line. */
  say: (line: string) => void;
  signal: AbortSignal;
}

const building = new Map<string, Promise<void>>();

/**
 * Makes a folder by `make`, once, however many jobs ask at the same time. A mark says that it is whole; one that was
 * broken off is made again.
 */
export async function buildOnce(dir: string, build: Build, make: () => Promise<void>): Promise<void> {
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
    const task = (async () => {
      await rm(dir, { recursive: true, force: true });
      await mkdir(path.dirname(dir), { recursive: true });
      await make();
      await writeFile(path.join(dir, '.ready.tmp'), '');
      await rename(path.join(dir, '.ready.tmp'), ready);
    })().finally(() => building.delete(dir));
    building.set(dir, task);
    await task;
  }
}

/** Runs a program of a build, its output going to `say`. @throws EnvironmentError with its own last words */
export function runProgram(argv: string[], build: Build, cwd?: string): Promise<void> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
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
