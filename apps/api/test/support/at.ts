import type { Job } from '@mycloud/shared';

/** A job as its routes name it. */
export const at = (job: Pick<Job, 'owner' | 'project' | 'number'>) => ({
  params: { owner: job.owner, project: job.project, number: job.number },
});
