import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { readProcess } from '../processes.js';
import type { JobProcess } from './runner.js';

/**
 * A shell's few lines: they cost 8 MB less and start 40 ms sooner than Node would. It must outlive a SIGTERM to
 * the group to write the exit code; a trap, unlike ignoring, is not inherited by the job. Its own words ("Killed")
 * are no lines of the job (a subshell, since a redirected command would lend it the job's stderr). fd 3 is for a runner's status.
 */
const script = `
exec 4>&2 2>/dev/null
trap : TERM INT HUP QUIT
run=$1; shift
(exec 2>&4 3>"$run/status" 4>&-; exec "$@")
code=$?
printf '%s\\n' "$code" 1<>"$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
`;

/** The shell that runs a job's command. */
export const jobShell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';

export interface Supervised {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  marker: string;
  runDir: string;
}

/** Starts argv detached in a session of its own. It needs nothing of this process from then on. */
export async function startSupervised(options: Supervised): Promise<JobProcess> {
  // The code is written over it in place, for which a disk that the job has filled has room.
  await writeFile(path.join(options.runDir, 'exit.tmp'), ' '.repeat(16));
  const log = await open(path.join(options.runDir, 'log'), 'a');
  try {
    const child = spawn('/bin/sh', ['-c', script, 'mycloud-job', options.runDir, ...options.argv], {
      cwd: options.cwd,
      env: { ...options.env, MYCLOUD_EXECUTION: options.marker },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    child.unref();
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw new AppError('internal', `the job's process could not be started: ${error.message}`, {
        cause: error,
      });
    }
    // Not yet reaped even where it has ended already: this runs before its exit event.
    const startTime = readProcess(child.pid)?.startTime ?? '';
    return { pid: child.pid, startTime, marker: options.marker };
  } finally {
    await log.close();
  }
}

/** Whether the supervisor still runs; another process with its number doesn't count. */
export function isAlive(job: JobProcess): boolean {
  return readProcess(job.pid)?.startTime === job.startTime;
}

/** The exit code the supervisor wrote, 128 + n for a signal; null when it hasn't (yet). */
export async function readExitCode(runDir: string): Promise<number | null> {
  try {
    return Number(await readFile(path.join(runDir, 'exit'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
