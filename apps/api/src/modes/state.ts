import { isEnd, type Job, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { viewJob } from '../jobs/view.js';
import { runningAttempt } from '../tunnels/running.js';
import type { HeldAttempt } from '../tunnels/tunnels.js';

/** Whether a job can be asked, and if not, what to tell. */
export type Standing = { state: 'runs'; held: HeldAttempt } | { state: 'waiting' | 'ended'; message: string };

/** As far as the database knows: whether a command that runs listens yet is another matter. */
export async function standingOf(deps: Deps, jobId: string): Promise<Standing> {
  const held = await runningAttempt(deps, jobId);
  if (held) return { state: 'runs', held };
  const job = await viewJob(deps, jobId);
  if (isEnd(job.status) || job.status === 'saving') return { state: 'ended', message: endText(job) };
  const message =
    job.status === 'queued' ? `it waits: ${job.message}` : 'its inputs and environment are being prepared';
  return { state: 'waiting', message };
}

const endText = (job: Job): string =>
  job.status === 'saving'
    ? 'its command has ended, and its output is being saved'
    : `${jobName(job)} has ended: ${job.status === 'succeeded' ? 'finished' : job.message}`;
