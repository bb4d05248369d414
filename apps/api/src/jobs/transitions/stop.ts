import { isEnd, reasonSentence } from '@mycloud/shared';
import type { Deps } from '../../deps.js';
import { addDeliveries, announceDeliveries } from '../../notifications/outbox.js';
import { addEvent } from '../events.js';
import { one, transaction } from '../sql.js';
import { lockJob } from './lock.js';

/** Ends a queued job at once, asks for the end of a running one, leaves an ended one. Asking twice is no error. */
export async function stopJob(deps: Deps, jobId: string, by: string): Promise<void> {
  const told = await transaction(
    deps.pool,
    async (sql): Promise<{ workerId?: string; ended?: number } | undefined> => {
      const job = await lockJob(sql, jobId);
      if (!job || isEnd(job.status)) return undefined;
      if (job.status === 'queued') {
        const message = reasonSentence('stopped_by_user', by);
        await sql.query(
          `UPDATE "Job" SET status = 'stopped', reason = 'stopped_by_user', detail = $3, "stopRequestedBy" = $3,
           "finishedAt" = now() WHERE id = $1 AND attempt = $2 AND status = 'queued'`,
          [jobId, job.attempt, by],
        );
        await addEvent(sql, {
          jobId,
          attempt: job.attempt,
          type: 'stopped',
          reason: 'stopped_by_user',
          message,
        });
        if (job.heardOf) await addDeliveries(sql, jobId, 'stopped');
        return { ended: job.attempt };
      }
      if (job.stopRequestedBy === null) {
        await sql.query('UPDATE "Job" SET "stopRequestedBy" = $2 WHERE id = $1', [jobId, by]);
        const message = `${by} asked to stop it`;
        await addEvent(sql, { jobId, attempt: job.attempt, type: 'stop_requested', message });
      }
      return one<{ workerId: string }>(
        sql,
        'SELECT "workerId" FROM "Attempt" WHERE "jobId" = $1 AND number = $2 AND "endedAt" IS NULL',
        [jobId, job.attempt],
      );
    },
  );
  if (!told) return;
  if (told.ended !== undefined) {
    const end = { status: 'stopped', reason: 'stopped_by_user' };
    deps.metrics.attemptsEnded.inc(end);
    await announceDeliveries(deps);
    deps.log.info({ jobId, attempt: told.ended, ...end }, 'job ended');
  }
  if (told.workerId) await deps.hub.publish({ type: 'stop', jobId, workerId: told.workerId });
  await deps.hub.publish({ type: 'job', jobId });
}
