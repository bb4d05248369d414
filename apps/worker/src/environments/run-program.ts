import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { hasVariable, listProcesses, sendSignal } from '@mycloud/processes';
import type { BuildSandbox } from './build-sandbox.js';
import { EnvironmentError } from './environment.js';
import { failureOf } from './failure.js';

/** What the programs of a build are given. */
export interface Build {
  /** The folder it makes: in the environment of each of its programs. */
  dir: string;
  /** Holds that folder. */
  root: string;
  /** Where programs are looked for. */
  path: string;
  /** Settings of pip, uv and npm, and the way to the network. */
  variables: Record<string, string>;
  say(line: string): void;
  signal: AbortSignal;
  /** undefined: programs run as the worker's user, with all he sees. */
  sandbox: BuildSandbox | undefined;
}

const marker = (dir: string): string => `MYCLOUD_BUILD=${dir}`;

/** Ends what a worker left running that was killed while it built this folder. */
export function killLeftovers(dir: string): void {
  for (const { pid } of listProcesses()) if (hasVariable(pid, marker(dir))) sendSignal(pid, 'SIGKILL');
}

/**
 * Runs a program of a build, its output going to `say`; when the build is given up, it and what it started are ended
 * before this returns. @returns what it printed @throws EnvironmentError that says in a sentence why it failed
 */
export function runProgram(argv: string[], build: Build, cwd?: string): Promise<string[]> {
  const { signal, sandbox, dir } = build;
  signal.throwIfAborted();
  const [program = ''] = argv;
  const [command = '', ...args] = sandbox ? sandbox(argv, { dir, cwd }) : argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: {
        HOME: build.root,
        LANG: 'C.UTF-8',
        // The reasons of failures are read from what programs say.
        LC_ALL: 'C.UTF-8',
        // As pip does: certificates of the house count.
        UV_SYSTEM_CERTS: '1',
        ...build.variables,
        PATH: build.path,
        MYCLOUD_BUILD: build.dir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: compilers below it end with it.
      detached: true,
    });
    const end = (): void => {
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', end, { once: true });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.trim()) return;
        build.say(line);
        lines.push(line);
        if (lines.length > 2000) lines.shift();
      });
    }
    child.on('error', (error) => {
      signal.removeEventListener('abort', end);
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      reject(missing ? new EnvironmentError(`${command} is not installed on this worker`) : error);
    });
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', end);
      if (signal.aborted) return reject(signal.reason);
      if (code === 0) return resolve(lines);
      reject(failureOf(lines, `${program} ended with ${code ?? killedBy}`));
    });
  });
}
