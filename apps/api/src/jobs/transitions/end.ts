import { type EndStatus, maxSystemAttempts, type Reason, reasonSentence, reasons } from '@mycloud/shared';
import type { Deps } from '../../deps.js';
import { addDeliveries, announceDeliveries } from '../../notifications/outbox.js';
import { wakeForOwners } from '../running-limits.js';
import { one, prepared, type Sql, transaction } from '../sql.js';
import { storable } from '../text.js';
import { announceQueued } from '../tickets.js';
import { type LockedJob, lockJob } from './lock.js';

/** Outcome of an attempt as the worker, or the sweep, knows it. */
export interface Outcome {
  reason: Reason;
  detail: string;
  exitCode: number | null;
  outputSnapshotId: string | null;
  /** Milliseconds since 1970, by the worker's clock; not given: as it was told before. */
  startedAt?: number | null;
}

/** Ends an attempt whose lease has run out, unless it was renewed or ended meanwhile. */
export async function loseAttempt(
  deps: Deps,
  lost: { jobId: string; attempt: number; fence: string },
): Promise<boolean> {
  const ended = await transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, lost.jobId);
    const attempt = await one<{
      leaseUntil: Date;
      worker: string;
      removedBy: string | null;
      restored: boolean;
    }>(
      sql,
      `SELECT a."leaseUntil", w.name AS worker, w."removedBy", EXISTS (SELECT 1 FROM "Setting" s WHERE s.name = 'restored'
         AND a."startedAt" < (s.value->>'at')::timestamptz) AS restored FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
       WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND a."leaseUntil" < now()
       FOR NO KEY UPDATE OF a`,
      [lost.jobId, lost.attempt, lost.fence],
    );
    if (!job || !attempt || job.attempt !== lost.attempt) return undefined;
    const end = { exitCode: null, outputSnapshotId: null };
    // One that was running when a backup was made was not lost by its worker, which may have long ended it.
    if (attempt.restored) return endAttempt(sql, job, { ...end, reason: 'server_restored', detail: '' });
    const detail = attempt.removedBy
      ? `${attempt.worker} was removed by ${attempt.removedBy}`
      : `${attempt.worker} was not heard of after ${attempt.leaseUntil.toISOString()}`;
    return endAttempt(sql, job, { ...end, reason: 'worker_lost', detail });
  });
  if (ended) await tellEnd(deps, ended);
  return ended !== undefined;
}

/** May it be tried again? The table of reasons decides, unless somebody asked to stop it. */
function triedAgain(job: LockedJob, reason: Reason): boolean {
  if (job.stopRequestedBy !== null) return false;
  switch (reasons[reason].retry) {
    case 'never':
      return false;
    case 'system':
      return job.attempt - job.userFailures < maxSystemAttempts;
    case 'user':
      return job.userFailures < job.retries;
  }
}

export interface Ended {
  job: LockedJob;
  again: boolean;
  /** What it became, and why; absent where its attempt was taken back. */
  end?: { status: EndStatus | 'queued'; reason: Reason; exitCode: number | null };
}

/**
 * As it was told when it began, or as its end says it, whatever that worker's clock shows; null when neither did. (GREATEST
 * and LEAST pass over nulls.)
 */
export const startOf = (ms: string): string =>
  `COALESCE("startedAt", CASE WHEN ${ms}::float8 IS NOT NULL
     THEN LEAST(now(), GREATEST("createdAt", to_timestamp(${ms}::float8 / 1000))) END)`;

/** holds: the job and its attempt are locked, the attempt is the job's last and open */
export async function endAttempt(sql: Sql, job: LockedJob, outcome: Outcome): Promise<Ended> {
  const stopped = job.stopRequestedBy !== null && reasons[outcome.reason].retry === 'system';
  let reason: Reason = stopped ? 'stopped_by_user' : outcome.reason;
  let detail = storable(stopped ? (job.stopRequestedBy ?? '') : outcome.detail);
  const again = triedAgain(job, reason);
  const lost = reason === 'worker_lost' && !again ? 1 + (await lostAttempts(sql, job.id)) : 0;
  if (lost >= maxSystemAttempts) {
    reason = 'kills_worker';
    detail = String(lost);
  }
  const sentence = reasonSentence(reason, detail);
  const status: EndStatus | 'queued' = again ? 'queued' : reasons[reason].status;
  const message = again ? `${sentence}; tried again as attempt ${job.attempt + 1}` : sentence;
  const ended = [job.id, job.attempt, outcome.reason, storable(outcome.detail), outcome.exitCode];
  const moved = [
    status,
    reasons[reason].retry === 'user' ? 1 : 0,
    outcome.outputSnapshotId,
    outcome.startedAt ?? null,
    reason,
    storable(message),
  ];
  const change = again
    ? `"queuedAt" = now(), "ticketAt" = now()`
    : `reason = $10, detail = $12, "exitCode" = $5, "finishedAt" = now()`;
  await sql.query(
    prepared(
      `WITH ended AS (
         UPDATE "Attempt" SET "endedAt" = now(), reason = $3, detail = $4, "exitCode" = $5
         WHERE "jobId" = $1 AND number = $2 AND "endedAt" IS NULL),
       said AS (
         INSERT INTO "Event" ("jobId", attempt, type, reason, message) VALUES ($1, $2, $6, $10, $11))
       UPDATE "Job" SET status = $6, ${change}, "userFailures" = "userFailures" + $7,
         "outputSnapshotId" = COALESCE($8, "outputSnapshotId"), "startedAt" = ${startOf('$9')}
       WHERE id = $1 AND attempt = $2 AND status IN ('preparing','running','saving')`,
      again ? [...ended, ...moved] : [...ended, ...moved, detail],
    ),
  );
  if (status !== 'queued' && job.heardOf) await addDeliveries(sql, job.id, status);
  return { job, again, end: { status, reason, exitCode: outcome.exitCode } };
}

/** How many attempts of a job ended with their worker lost, before this one. */
async function lostAttempts(sql: Sql, jobId: string): Promise<number> {
  const counted = await one<{ lost: number }>(
    sql,
    `SELECT count(*)::int AS lost FROM "Attempt" WHERE "jobId" = $1 AND reason = 'worker_lost'`,
    [jobId],
  );
  return counted?.lost ?? 0;
}

/** Tells all apis of an end that is committed, and workers of what may begin now. */
export async function tellEnd(deps: Deps, { job, again, end }: Ended): Promise<void> {
  if (end) {
    const { status, reason } = end;
    deps.metrics.attemptsEnded.inc({ status, reason });
    deps.log.info({ jobId: job.id, attempt: job.attempt, ...end }, again ? 'job queued again' : 'job ended');
  }
  void deps.hub.publish({ type: 'job', jobId: job.id });
  if (again) await announceQueued(deps, job);
  else if (job.heardOf) await announceDeliveries(deps);
  if (job.limited) await wakeForOwners(deps, [job.ownerId, job.teamId]);
}
