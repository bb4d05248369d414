import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { AppError } from '@mycloud/shared';
import { jobShell } from '../runners/supervisor.js';
import { type ExecRequest, type ExecSession, sessionVariable } from './session.js';

const program = fileURLToPath(new URL('enter.py', import.meta.url));

/** Where a command is put. */
export interface Place {
  /** A process of the job. */
  like: number;
  /** Into its mount, pid and IPC namespaces, without capabilities. */
  enter: boolean;
  /** cgroup.procs of the job's cgroups. */
  cgroups: string[];
  cwd: string;
}

/**
 * Runs a command beside a job that is processes of this machine, in its namespaces and cgroups (enter.py).
 * @throws AppError unavailable where Python 3 is missing
 */
export async function enterJob(place: Place, request: ExecRequest): Promise<ExecSession> {
  const { argv, env, session, terminal } = request;
  const child = spawn('python3', ['-I', program], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    // A Ctrl-C in the worker's terminal is not the session's.
    detached: true,
  });
  const control = child.stdio[3] as Writable;
  for (const stream of [child.stdin, control]) stream.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? (signal ? 137 : 125)));
  });
  const failed = once(child, 'error').then(([error]) => error as NodeJS.ErrnoException);
  const problem = await Promise.race([failed, once(child, 'spawn').then(() => undefined)]);
  if (problem) throw cannotEnter(problem);
  // By a pipe, since arguments are seen by everybody on this machine.
  const spec = {
    ...place,
    argv: argv.length > 0 ? argv : [jobShell],
    env: { ...env, [sessionVariable]: session },
    session,
    terminal,
  };
  control.write(`${JSON.stringify(spec)}\n`);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: terminal ? joined(child.stdout, child.stderr) : child.stderr,
    resize: (columns, rows) => control.write(`${rows} ${columns}\n`),
    ended: closed,
    kill: () => control.end(),
  };
}

/** With a terminal, stderr has only this program's own words, of why it could not begin: they are shown there too. */
function joined(stdout: Readable, stderr: Readable): null {
  stderr.on('data', (bytes: Buffer) =>
    stdout.emit('data', Buffer.from(String(bytes).replaceAll('\n', '\r\n'))),
  );
  return null;
}

const cannotEnter = (cause: NodeJS.ErrnoException): AppError =>
  cause.code === 'ENOENT'
    ? new AppError(
        'unavailable',
        'a command inside a job needs Python 3 on its worker, and there is no python3 in its PATH',
        {
          cause,
          hint: 'Install it there: apt-get install python3.',
        },
      )
    : new AppError('unavailable', `a command inside a job could not be started: ${cause.message}`, { cause });
