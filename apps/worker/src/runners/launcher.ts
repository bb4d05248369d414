import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { Writable } from 'node:stream';
import { AppError, shellQuoted } from '@mycloud/shared';

interface Detached {
  argv: string[];
  cwd: string;
  /** All of its environment. */
  env: Record<string, string>;
  /** A file its output is appended to. */
  log: string;
}

/** Starts programs in sessions of their own, which need nothing of this process from then on. */
export interface Launcher {
  /** @returns its pid, which is the leader's of its session. @throws AppError internal */
  start(program: Detached): Promise<number>;
  close(): void;
}

const setsid = ['/usr/bin/setsid', '/bin/setsid'].find(existsSync);
/** To set these means something else to a shell, or fails. */
const shellsOwn = new Set([
  ...['IFS', 'OPTIND', 'PWD', 'OLDPWD', 'PPID', 'UID', 'EUID', 'GROUPS'],
  ...['SHELLOPTS', 'BASHOPTS', 'ENV', 'BASH_ENV', 'POSIXLY_CORRECT'],
]);
/** The most that Linux takes as one argument or variable: 32 pages, the NUL at its end counted. */
const longestBytes = 128 * 1024 - 1;
/** And of all together: a quarter of the usual stack of 8 MiB, less room for pointers to them. */
const allBytes = 1.75 * 2 ** 20;

/**
 * A shell that is spoken to: it is small, and forking it costs a tenth of forking this process, whose hundreds of megabytes
 * the system has to mark page by page. It is started by the first program; a worker that dies ends it, not its programs.
 */
export function openLauncher(): Launcher {
  let shell: Shell | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function start(program: Detached): Promise<number> {
    if (!setsid || Object.keys(program.env).some((name) => shellsOwn.has(name))) return fork(program);
    checkLengths(program);
    shell ??= openShell();
    const answer = await shell.ask(`jobs >/dev/null\n${inShell(setsid, program)} & echo $!\n`);
    if (answer !== null) return Number(answer);
    shell = null;
    throw new AppError('internal', 'the shell that starts jobs has ended; the job may be tried again');
  }

  return {
    start(program) {
      const turn = last.then(() => start(program));
      last = turn.catch(() => undefined);
      return turn;
    },
    close() {
      shell?.end();
      shell = null;
    },
  };
}

/** `jobs` before it lets go of those that have ended. Secrets travel by the pipe: they are in no list of processes. */
function inShell(setsid: string, { argv, cwd, env, log }: Detached): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuoted(value)};`);
  const enter = `cd ${shellQuoted(cwd)} || exit 127; unset PWD OLDPWD;`;
  const become = `exec ${[setsid, ...argv].map(shellQuoted).join(' ')}`;
  return `( ${enter} ${exports.join(' ')} ${become} ) </dev/null >>${shellQuoted(log)} 2>&1`;
}

function checkLengths({ argv, env }: Detached): void {
  const texts = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const longest = Math.max(...lengths);
  const all = lengths.reduce((sum, length) => sum + length, 0);
  if (longest <= longestBytes && all <= allBytes) return;
  const what = longest > longestBytes ? `one of ${longest} bytes` : `${all} bytes together`;
  throw new AppError('bad_request', `the system takes no command and variables so long: ${what}`, {
    hint: 'Put the text into a file of the code.',
  });
}

interface Shell {
  /** @returns the line it answers, or null when it has ended */
  ask(commands: string): Promise<string | null>;
  end(): void;
}

function openShell(): Shell {
  // Without a variable of this process: what it starts inherits them.
  const child: ChildProcessByStdio<Writable, Socket, null> = spawn('/bin/sh', ['-s'], {
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  }) as ChildProcessByStdio<Writable, Socket, null>;
  const lines: Interface = createInterface({ input: child.stdout });
  const gone = new Promise<null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', () => resolve(null));
  });
  // A write to one that has ended is told by `gone`.
  child.stdin.on('error', () => undefined);
  child.unref();
  child.stdout.unref();
  return {
    async ask(commands) {
      child.stdout.ref();
      const line = new Promise<string>((resolve) => lines.once('line', resolve));
      child.stdin.write(commands);
      const answer = await Promise.race([line, gone]);
      child.stdout.unref();
      return answer;
    },
    end: () => child.stdin.end(),
  };
}

/** Where there is no such shell. */
async function fork({ argv, cwd, env, log }: Detached): Promise<number> {
  const output = await open(log, 'a');
  try {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', output.fd, output.fd], detached: true });
    child.unref();
    if (child.pid !== undefined) return child.pid;
    const [error] = (await once(child, 'error')) as [Error];
    throw new AppError('internal', `the job's process could not be started: ${error.message}`, {
      cause: error,
    });
  } finally {
    await output.close();
  }
}
