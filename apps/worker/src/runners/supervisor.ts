import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ProcessInfo, readProcess } from '@mycloud/processes';
import { AppError } from '@mycloud/shared';
import { freeLoopbackPort } from '../free-port.js';
import { cellMemory, removeCell } from '../limits/cgroup-cell.js';
import type { Cell, Limits } from '../limits/limits.js';
import { killMarked } from '../marker.js';
import type { Launcher } from './launcher.js';
import type { JobProcess, Runner } from './runner.js';

/**
 * A shell's few lines: they cost 8 MB less and start 40 ms sooner than Node would. It must outlive a SIGTERM to
 * the group to write the exit code; a trap, unlike ignoring, is not inherited by the job. Its own words ("Killed")
 * are no lines of the job (a subshell, since a redirected command would lend it the job's stderr). fd 3 is for a runner's status.
 * The subshell enters the job's cgroups before it becomes the command: nothing of the job is ever outside, and this shell,
 * which must live to tell the end, never inside.
 */
const script = `
exec 4>&2 2>/dev/null
trap : TERM INT HUP QUIT
run=$1; shift
(
  exec 2>&4 3>"$run/status" 4>&-
  while [ "$1" != -- ]; do
    echo 0 >"$1" || { echo "mycloud: the job could not be put under its limits" >&2; exit 125; }
    shift
  done
  shift
  exec "$@"
)
code=$?
printf '%s\\n' "$code" 1<>"$run/exit"
`;

/** The shell that runs a job's command. */
export const jobShell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';

export interface Supervised {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  marker: string;
  runDir: string;
  cell: Cell;
}

/** Starts argv under the shell that tells its end. It needs nothing of this process from then on. */
export async function startSupervised(launcher: Launcher, options: Supervised): Promise<JobProcess> {
  const log = path.join(options.runDir, 'log');
  // The code is written over it in place: a disk that the job has filled has room for that, and it takes no further program.
  writeFileSync(path.join(options.runDir, 'exit'), ' '.repeat(16));
  // It is watched from the start.
  closeSync(openSync(log, 'a'));
  const { enter, prefix, dirs } = options.cell;
  const starting = launcher.start({
    argv: [
      '/bin/sh',
      '-c',
      script,
      'mycloud-job',
      options.runDir,
      ...enter,
      '--',
      ...prefix,
      ...options.argv,
    ],
    cwd: options.cwd,
    env: { ...options.env, MYCLOUD_EXECUTION: options.marker },
    log,
  });
  const pid = await starting.catch((error: unknown) => {
    // It may have been started without that having been told.
    killMarked(options.marker);
    throw error;
  });
  // Of one that has ended already, nothing is left that could be taken for it.
  const startTime = readProcess(pid)?.startTime ?? '';
  return { pid, startTime, marker: options.marker, cell: [...dirs] };
}

/** Whether the supervisor still runs; another process with its number doesn't count. */
async function isAlive(job: JobProcess): Promise<boolean> {
  return readProcess(job.pid)?.startTime === job.startTime;
}

/** The exit code the supervisor wrote, 128 + n for a signal; null when it hasn't (yet). */
export async function readExitCode(runDir: string): Promise<number | null> {
  try {
    const written = /^(\d+)\n/.exec(readFileSync(path.join(runDir, 'exit'), 'utf8'));
    return written ? Number(written[1]) : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What is alike in all runners whose jobs are processes of this machine, in cgroups of ours. */
export function supervised(
  { kind, enforced }: Limits,
  members: (job: JobProcess, runDir: string) => ProcessInfo[],
): Pick<
  Runner,
  'limits' | 'isAlive' | 'exitCode' | 'usage' | 'memory' | 'clear' | 'choosePort' | 'reachPort'
> {
  return {
    limits: { kind, enforced },
    isAlive,
    exitCode: (_, runDir) => readExitCode(runDir),
    async usage(job, runDir) {
      const all = members(job, runDir);
      return {
        cpuSeconds: new Map(all.map((info) => [`${info.pid} ${info.startTime}`, info.cpuSeconds])),
        memoryBytes: all.reduce((sum, info) => sum + info.rssBytes, 0),
      };
    },
    memory: async (job) => cellMemory(job.cell),
    clear: (job) => removeCell(job.cell),
    choosePort: freeLoopbackPort,
    reachPort: async (_, port) => port,
  };
}

/** A job that ends in the very moment it is asked for. */
export const gone = (): AppError => new AppError('unavailable', 'the job has just ended');
