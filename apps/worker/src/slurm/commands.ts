import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';
import { parseJobs, type SlurmJob, squeueFormat } from './queue.js';

const exec = promisify(execFile);
const answerWithinMs = 60_000;
/** Of what is asked at a worker's start, when running jobs wait to be adopted. */
const startWithinMs = 8000;

/** slurmctld, or the way to it, is away for now: it says nothing about jobs. */
export class SlurmAway extends Error {
  override readonly name = 'SlurmAway';
}

/** Slurm has understood what was asked and won't do it; the message is its own. */
export class SlurmRefusal extends Error {
  override readonly name = 'SlurmRefusal';
}

/** What its programs say when they couldn't ask, whatever was asked. */
const away =
  /contact slurm controller|[Ss]ocket timed out|[Cc]onnection (refused|reset|timed out)|temporarily|Zero Bytes were transmitted|standby mode|Protocol authentication error|[Mm]unge|auth(entication)? plugin|Communication connection failure|Slurm backup|Transport endpoint/;
const overAlready = /already completing or completed|Invalid job id/;

const submissionVariable = 'MYCLOUD_SUBMISSION';
/** What the environment of an attempt's sbatch holds, and no process of the job, which may run on this computer. */
export const submissionMark = (marker: string): string => `${submissionVariable}=${marker}`;

/** Slurm's programs, as the worker's user runs them. */
export interface SlurmCommands {
  /** @returns the id of the new job. @throws SlurmAway, after which it may have been taken nevertheless; SlurmRefusal */
  submit(script: string, options: readonly string[], marker: string): Promise<string>;
  /** All jobs of this user that Slurm still knows, ended ones included. @throws SlurmAway */
  jobs(name?: string): Promise<SlurmJob[]>;
  /** @param options what is sent to whom; none: the job is cancelled. One that is over is fine. @throws SlurmAway */
  cancel(id: string, options?: readonly string[]): Promise<void>;
  /** Lines of sinfo in a format of its own, a line for each node in each partition. @throws SlurmAway */
  nodes(format: string): Promise<string[]>;
  /** `scontrol show config`. @throws SlurmAway */
  configuration(): Promise<string>;
}

/** @param env PATH, and SLURM_CONF where it isn't the usual place: nothing else of the worker's reaches Slurm */
export function slurmCommands(env: Record<string, string>): SlurmCommands {
  const run = async (
    program: string,
    args: readonly string[],
    { more = {}, withinMs = answerWithinMs }: { more?: Record<string, string>; withinMs?: number } = {},
  ): Promise<string> => {
    try {
      const options = { env: { ...env, ...more, LC_ALL: 'C' }, timeout: withinMs, maxBuffer: 2 ** 26 };
      return (await exec(program, args, options)).stdout;
    } catch (error) {
      throw failureOf(program, error as ExecFailure);
    }
  };
  const user = String(process.getuid?.() ?? '');
  return {
    async submit(script, options, marker) {
      // Marked, so that the one a dead worker left asking is found and ended before another asks.
      const answer = await run('sbatch', ['--parsable', ...options, script], {
        more: { [submissionVariable]: marker },
      });
      const id = /^\d+/.exec(answer.trim())?.[0];
      if (!id) throw new SlurmAway(`sbatch answered no job: ${answer.trim()}`);
      return id;
    },
    async jobs(name) {
      const only = name === undefined ? [] : [`--name=${name}`];
      const args = ['--noheader', '--states=all', `--user=${user}`, `--format=${squeueFormat}`, ...only];
      return parseJobs(await run('squeue', args));
    },
    async cancel(id, options = []) {
      try {
        await run('scancel', [...options, id]);
      } catch (error) {
        if (!(error instanceof SlurmRefusal && overAlready.test(error.message))) throw error;
      }
    },
    async nodes(format) {
      const text = await run('sinfo', ['--noheader', '--Node', `--format=${format}`], {
        withinMs: startWithinMs,
      });
      return text.split('\n').filter(Boolean);
    },
    configuration: () => run('scontrol', ['show', 'config'], { withinMs: startWithinMs }),
  };
}

interface ExecFailure extends Error {
  code?: string | number | null;
  killed?: boolean;
  stderr?: string;
}

function failureOf(program: string, error: ExecFailure): Error {
  if (error.code === 'ENOENT') {
    return new AppError('unavailable', `${program} is not in the worker's PATH`, {
      cause: error,
      hint: 'Start this worker where Slurm can be used, such as on a login node, or set MYCLOUD_RUNNER=auto.',
    });
  }
  const said = (error.stderr ?? '')
    .trim()
    .replaceAll(/^\w+: (error|fatal): /gm, '')
    .replaceAll('\n', '; ');
  if (error.killed || away.test(said)) return new SlurmAway(said || `${program} gave no answer`);
  return new SlurmRefusal(said || error.message);
}
