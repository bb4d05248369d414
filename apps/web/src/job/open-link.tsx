import { isEnd, type Job } from '@mycloud/shared/browser';
import { ExternalLink } from 'lucide-react';
import { useRights } from '../api/rights.js';

/** Opens a job's Jupyter or server beside the page; while it isn't ready, what opens says so and looks again. */
export function OpenLink({ job }: { job: Job }) {
  const { submit } = useRights(job.owner);
  if (job.mode === 'command' || isEnd(job.status) || (job.mode === 'jupyter' && !submit)) return null;
  return (
    <a className="button button-primary" href={`/${job.name}/${job.mode}/`} target="_blank" rel="noreferrer">
      <ExternalLink size={16} aria-hidden /> Open {job.mode === 'jupyter' ? 'Jupyter' : 'server'}
    </a>
  );
}
