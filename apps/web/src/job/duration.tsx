import type { Job } from '@mycloud/shared/browser';
import { isActive } from '../api/queries.js';
import { durationText } from '../ui/format.js';
import { useNow } from '../ui/now.js';

/** How long the job runs or ran; while it waits, how long it has. */
export function Duration({ job }: { job: Job }) {
  return isActive(job) ? <Ticking since={job.startedAt ?? job.createdAt} /> : lasted(job);
}

function lasted(job: Job): string {
  if (!job.startedAt || !job.finishedAt) return '–';
  return durationText(Date.parse(job.finishedAt) - Date.parse(job.startedAt));
}

const Ticking = ({ since }: { since: string }) => durationText(useNow() - Date.parse(since));
