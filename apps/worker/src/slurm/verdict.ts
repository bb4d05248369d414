import type { Reason } from '@mycloud/shared';
import { readRunFile } from './files.js';
import { type SlurmJob, standingOf } from './queue.js';

/** Slurm's states in which something other than the command ended it. */
const ends: Record<string, Reason> = {
  OUT_OF_MEMORY: 'out_of_memory',
  TIMEOUT: 'max_runtime',
  DEADLINE: 'max_runtime',
  NODE_FAIL: 'node_failed',
  BOOT_FAIL: 'node_failed',
  LAUNCH_FAILED: 'node_failed',
  RECONFIG_FAIL: 'node_failed',
  PREEMPTED: 'preempted',
  CANCELLED: 'cancelled_in_cluster',
  REVOKED: 'cancelled_in_cluster',
};
/** SIGTERM before the time limit comes a minute early, and up to another minute before that (sbatch, --signal). */
const nearLimitSeconds = 150;
const mostWords = 4096;

/** What Slurm says of the end of an attempt; null: nothing that its exit code doesn't say. */
export async function verdictOf(
  job: SlurmJob | 'unknown' | null,
  runDir: string,
  exitCode: number | null,
): Promise<{ reason: Reason; detail: string } | null> {
  if (exitCode === 0) return null;
  const refused = await readRunFile(runDir, 'refused');
  if (refused) {
    const detail = `${refused.trim()}; MYCLOUD_SLURM_ISOLATION=process, set for the worker, runs jobs without it`;
    return { reason: 'worker_error', detail };
  }
  if (job === 'unknown' || job === null)
    return exitCode === null
      ? { reason: 'worker_lost', detail: 'Slurm does not know its job any more' }
      : null;
  const reason = ends[job.state];
  if (reason) return { reason, detail: detailOf(reason, job) };
  const told = (await readRunFile(runDir, 'told')) !== null;
  if (told && job.secondsLeft !== null && job.secondsLeft < nearLimitSeconds)
    return { reason: 'max_runtime', detail: detailOf('max_runtime', job) };
  // It began, and Slurm has taken it back into its queue to begin it again elsewhere.
  if ((exitCode ?? 255) > 128 && standingOf(job.state) === 'waiting')
    return { reason: 'node_failed', detail: `Slurm's job ${job.id} was requeued` };
  if (exitCode !== null) return null;
  return {
    reason: 'worker_lost',
    detail: `its batch script on ${job.host} ended without a word (${job.state})`,
  };
}

function detailOf(reason: Reason, { id, host, state, timeLimit, reason: word }: SlurmJob): string {
  const on = host ? ` on ${host}` : '';
  if (reason === 'max_runtime')
    return state === 'DEADLINE' ? "Slurm's deadline" : `${timeLimit}, the time limit of its job in Slurm`;
  if (reason === 'out_of_memory') return `Slurm's job ${id}${on} used more than it asked for`;
  const why = word && word !== 'None' && word !== 'NonZeroExitCode' ? `, ${word}` : '';
  return `Slurm's job ${id}${on} (${state}${why})`;
}

/** What Slurm itself wrote about the job where its output goes, a line each. */
export async function wordsOf(runDir: string): Promise<string[]> {
  const text = (await readRunFile(runDir, 'words')) ?? '';
  return text
    .slice(-mostWords)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => `Slurm: ${line.replace(/^slurmstepd(-\S+)?: (error: )?/, '')}`);
}
