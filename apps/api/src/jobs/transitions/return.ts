import type { Deps } from '../../deps.js';
import { addEvent } from '../events.js';
import { transaction } from '../sql.js';
import { tellEnd } from './end.js';
import { lockJob } from './lock.js';

/**
 * Puts a claimed job back into its place in the line, as if it had never been taken: its worker never got the answer, and
 * nothing was written for it. Should that worker know of it after all, its fence is good for nothing any more.
 */
export async function returnJob(
  deps: Deps,
  given: { jobId: string; attempt: number; fence: string },
): Promise<void> {
  const returned = await transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, given.jobId);
    if (job?.status !== 'preparing' || job.attempt !== given.attempt || job.stopRequestedBy !== null) return;
    const { rowCount } = await sql.query(
      `DELETE FROM "Attempt" WHERE "jobId" = $1 AND number = $2 AND fence = $3 AND "endedAt" IS NULL AND "lastSeq" = 0`,
      [given.jobId, given.attempt, given.fence],
    );
    if (rowCount === 0) return;
    await sql.query(
      `UPDATE "Job" SET status = 'queued', attempt = attempt - 1, "ticketAt" = now()
       WHERE id = $1 AND attempt = $2 AND status = 'preparing'`,
      [job.id, job.attempt],
    );
    const message = 'the answer did not reach its worker; queued again';
    await addEvent(sql, { jobId: job.id, attempt: job.attempt, type: 'queued', message });
    return { ...job, attempt: job.attempt - 1 };
  });
  if (returned) await tellEnd(deps, { job: returned, again: true });
}
