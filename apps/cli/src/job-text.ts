import type { Job } from '@mycloud/shared';
import { durationText, paint } from './text.js';

export function statusText(job: Job): string {
  const c = paint(process.stdout);
  if (job.status === 'succeeded') return c.green(job.status);
  if (job.status === 'failed' || job.status === 'timed_out') return c.red(job.status);
  return job.status === 'running' ? c.cyan(job.status) : job.status;
}

/** Since it began, until its end or now; '' before it began. */
export function durationOf(job: Job): string {
  if (!job.startedAt) return '';
  return durationText((job.finishedAt ? Date.parse(job.finishedAt) : Date.now()) - Date.parse(job.startedAt));
}

/** The last value of its first metrics. */
export const metricsText = (job: Job): string =>
  Object.entries(job.metrics)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
