import { AppError, type editJobBody, jobName } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { requireRevision, revisionOf } from '../http/revision.js';
import type { JobRef } from './access.js';
import { one, transaction } from './sql.js';
import { refuseNul } from './text.js';

interface Editable {
  description: string;
  tags: string[];
  note: string;
}

export const jobRevision = ({ description, tags, note }: Editable): string =>
  revisionOf([description, tags, note]);

/** Changes what people say about a job, whatever its status. @throws AppError changed_meanwhile, bad_request */
export async function editJob(
  deps: Deps,
  job: JobRef,
  change: z.output<typeof editJobBody>,
  revision: string | undefined,
): Promise<void> {
  const { description = '', note = '', tags = [] } = change;
  refuseNul({ description, note, tags: tags.join(' ') });
  await transaction(deps.pool, async (sql) => {
    const old = await one<Editable>(
      sql,
      'SELECT description, tags, note FROM "Job" WHERE id = $1 FOR NO KEY UPDATE',
      [job.id],
    );
    if (!old) throw new AppError('not_found', 'this job was deleted');
    const name = jobName({ owner: job.project.owner, project: job.project.name, number: job.number });
    requireRevision(name, jobRevision(old), revision);
    const now = { ...old, ...change };
    await sql.query('UPDATE "Job" SET description = $2, tags = $3, note = $4 WHERE id = $1', [
      job.id,
      now.description,
      now.tags,
      now.note,
    ]);
  });
  await deps.hub.publish({ type: 'job', jobId: job.id });
}
