import { AppError, endStatuses, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { JobRef } from './access.js';
import { transaction } from './sql.js';

/** Deletes an ended job with its events, metrics and logs. @throws AppError conflict while it has not ended */
export async function deleteJob(deps: Deps, job: JobRef): Promise<void> {
  const logKeys = await transaction(deps.pool, async (sql) => {
    const { rows } = await sql.query<{ logKey: string }>(
      'SELECT "logKey" FROM "Attempt" WHERE "jobId" = $1 AND "logKey" IS NOT NULL',
      [job.id],
    );
    const { rowCount } = await sql.query('DELETE FROM "Job" WHERE id = $1 AND status = ANY($2)', [
      job.id,
      endStatuses,
    ]);
    if (rowCount === 0) {
      const name = jobName({ owner: job.project.owner, project: job.project.name, number: job.number });
      throw new AppError('conflict', `${name} has not ended`, {
        hint: `Stop it first: mycloud stop ${name}`,
      });
    }
    await sql.query('DELETE FROM "LogBatch" WHERE "jobId" = $1', [job.id]);
    await sql.query('DELETE FROM "MetricBatch" WHERE "jobId" = $1', [job.id]);
    return rows.map((row) => row.logKey);
  });
  for (const key of logKeys) await deps.store.delete(key);
  await deps.hub.publish({ type: 'job', jobId: job.id });
}
