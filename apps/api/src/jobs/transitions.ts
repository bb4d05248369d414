import {
  AppError,
  type AttemptProof,
  type EndStatus,
  imagePrefix,
  isEnd,
  type JobStatus,
  maxSystemAttempts,
  type Reason,
  reasonSentence,
  reasons,
} from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { addEvent } from './events.js';
import { checkOutput } from './output.js';
import { gpusOfMachines, wakeForOwner } from './running-limits.js';
import { one, type Sql, transaction } from './sql.js';
import { storable } from './text.js';
import { announceQueued } from './tickets.js';

/*
 * The only writer of a job's status. Every write names the job, the attempt, its fence and the status it leaves,
 * stands in one statement or transaction with its event, and is told to all apis once it is committed.
 * Locks are taken job first, attempt second; the job's is NO KEY UPDATE, so that rows that refer to it can be added meanwhile.
 */

/** Outcome of an attempt as the worker, or the sweep, knows it. */
export interface Outcome {
  reason: Reason;
  detail: string;
  exitCode: number | null;
  outputSnapshotId: string | null;
  /** Milliseconds since 1970, by the worker's clock; not given: as it was told before. */
  startedAt?: number | null;
}

type LockedJob = {
  id: string;
  status: JobStatus;
  attempt: number;
  ownerId: string;
  machine: string;
  priority: number;
  retries: number;
  userFailures: number;
  stopRequestedBy: string | null;
};

export const staleFence = (attempt: number): AppError =>
  new AppError('stale_fence', `the lease of attempt ${attempt} of this job is over`, {
    hint: 'End this execution: another attempt may be running.',
  });

export interface NewJob {
  id: string;
  projectId: string;
  number: number;
  ownerId: string;
  command: string;
  description: string;
  tags: string[];
  machine: string;
  environment: string;
  env: Record<string, string>;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  retries: number;
  codeSnapshotId: string | null;
}

/** Adds a job, queued, its ticket counted as sent. Its priority is the number of jobs its owner has outstanding. */
export async function queueJob(sql: Sql, job: NewJob): Promise<void> {
  await sql.query(
    `INSERT INTO "Job" (id, "projectId", number, "ownerId", command, description, machine, environment, env,
       tensorboard, "maxRuntimeSeconds", retries, "codeSnapshotId", tags, "ticketAt", status, priority)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now(), 'queued',
       (SELECT count(*) FROM "Job" WHERE "ownerId" = $4 AND status IN ('queued','preparing','running','saving')))`,
    [
      job.id,
      job.projectId,
      job.number,
      job.ownerId,
      job.command,
      job.description,
      job.machine,
      job.environment,
      JSON.stringify(job.env),
      job.tensorboard,
      job.maxRuntimeSeconds,
      job.retries,
      job.codeSnapshotId,
      job.tags,
    ],
  );
  await addEvent(sql, { jobId: job.id, attempt: 0, type: 'queued', message: `queued for ${job.machine}` });
}

export interface Claimed {
  jobId: string;
  attempt: number;
  fence: number;
}

/**
 * Takes one queued job for a worker under a lease: the ticket's, if it still waits for that attempt, or the next in line.
 * Of many claimers at once each gets another job, or none.
 */
export async function claimJob(
  deps: Deps,
  worker: { id: string; name: string; images: boolean },
  machines: string[],
  ticket: { jobId: string; attempt: number } | undefined,
): Promise<Claimed | undefined> {
  // A ticket's row is waited for, the line's are skipped while another claims them. Only the row taken is locked: one that
  // is locked and then left would be skipped by a claimer that finds no other and goes to sleep.
  const runnable = 'AND ($7::text IS NULL OR NOT (environment LIKE $7 OR environment = ANY($8::text[])))';
  const next = ticket
    ? `SELECT id FROM "Job" WHERE id = $9 AND attempt = $10 - 1 AND status = 'queued' AND machine = ANY($3)
       ${runnable} FOR NO KEY UPDATE`
    : `SELECT j.id FROM catalogue m CROSS JOIN LATERAL (
         SELECT id, priority, "queuedAt" FROM "Job" w WHERE status = 'queued' AND machine = m.name ${runnable}
           AND NOT EXISTS (SELECT 1 FROM limited l WHERE l.id = w."ownerId" AND (l.full OR m.gpus > l.gpus_left))
         ORDER BY priority, "queuedAt" LIMIT 64) q
       JOIN "Job" j ON j.id = q.id AND j.status = 'queued'
       WHERE m.name = ANY($3) ORDER BY q.priority, q."queuedAt" LIMIT 1 FOR NO KEY UPDATE OF j SKIP LOCKED`;
  const claimed = await one<{ jobId: string; attempt: number; fence: string }>(
    deps.pool,
    `WITH catalogue AS (SELECT * FROM unnest($4::text[], $5::int[]) c(name, gpus)),
     limited AS (
       SELECT u.id, count(r.id) >= u."maxJobs" AS full,
         COALESCE(u."maxGpus" - COALESCE(sum(c.gpus), 0), 1000000) AS gpus_left
       FROM "User" u LEFT JOIN "Job" r ON r."ownerId" = u.id AND r.status IN ('preparing','running')
         LEFT JOIN catalogue c ON c.name = r.machine
       WHERE u."maxJobs" IS NOT NULL OR u."maxGpus" IS NOT NULL GROUP BY u.id),
     next AS (${next}),
     moved AS (
       UPDATE "Job" j SET status = 'preparing', attempt = j.attempt + 1 FROM next
       WHERE j.id = next.id AND j.status = 'queued' AND NOT (SELECT draining FROM "Worker" WHERE id = $1)
         AND mycloud_may_run(j."ownerId", (SELECT gpus FROM catalogue c WHERE c.name = j.machine), $4, $5)
       RETURNING j.id, j.attempt),
     made AS (
       INSERT INTO "Attempt" ("jobId", number, "workerId", fence, "leaseUntil")
       SELECT id, attempt, $1, nextval('mycloud_fence'), now() + make_interval(secs => $2) FROM moved
       RETURNING "jobId", number, fence),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message) SELECT id, attempt, 'preparing', $6::text FROM moved)
     SELECT "jobId", number AS attempt, fence FROM made`,
    [
      worker.id,
      deps.config.leaseSeconds,
      machines,
      ...gpusOfMachines(deps.catalogue.machines),
      `taken by ${worker.name}`,
      // An image is left to a worker that runs images.
      worker.images ? null : `${imagePrefix}%`,
      deps.catalogue.imageOnly,
      ...(ticket ? [ticket.jobId, ticket.attempt] : []),
    ],
  );
  if (!claimed) return undefined;
  await deps.hub.publish({ type: 'job', jobId: claimed.jobId });
  return { ...claimed, fence: Number(claimed.fence) };
}

const stages = {
  running: { from: ['preparing'], message: 'the command runs' },
  saving: { from: ['preparing', 'running'], message: 'its output is being saved' },
};

/** preparing → running → saving. Said twice, or late, it is no error while the lease holds. @throws AppError stale_fence */
export async function setStage(
  deps: Deps,
  proof: AttemptProof,
  tokenOwner: string,
  to: keyof typeof stages,
): Promise<void> {
  const { from, message } = stages[to];
  const done = await one<{ held: number; moved: number }>(
    deps.pool,
    `WITH held AS (
       SELECT j.id FROM "Job" j
       JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt
       JOIN "Worker" w ON w.id = a."workerId"
       WHERE j.id = $1 AND j.attempt = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND w."ownerId" = $4
       FOR NO KEY UPDATE OF j),
     moved AS (
       UPDATE "Job" j SET status = $5,
         "startedAt" = CASE WHEN $5 = 'running' THEN COALESCE(j."startedAt", now()) ELSE j."startedAt" END
       FROM held WHERE j.id = held.id AND j.status = ANY($6) RETURNING j.id),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message) SELECT id, $2, $5, $7 FROM moved)
     SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM moved)::int AS moved`,
    [proof.jobId, proof.attempt, proof.fence, tokenOwner, to, from, message],
  );
  if (!done?.held) throw staleFence(proof.attempt);
  if (done.moved > 0) await deps.hub.publish({ type: 'job', jobId: proof.jobId });
}

const lockJob = (sql: Sql, jobId: string): Promise<LockedJob | undefined> =>
  one<LockedJob>(
    sql,
    `SELECT id, status, attempt, "ownerId", machine, priority, retries, "userFailures", "stopRequestedBy"
     FROM "Job" WHERE id = $1 FOR NO KEY UPDATE`,
    [jobId],
  );

/**
 * Ends an attempt as its worker says. The same end said twice is no error.
 * @throws AppError stale_fence; log_gap when log lines are missing (details.expected); bad_request for another's output
 */
export async function finishAttempt(
  deps: Deps,
  proof: AttemptProof,
  tokenOwner: string,
  outcome: Outcome & { lastSeq: number },
): Promise<void> {
  const ended = await transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, proof.jobId);
    const attempt = await one<{ endedAt: Date | null; reason: string | null; lastSeq: number }>(
      sql,
      `SELECT a."endedAt", a.reason, a."lastSeq" FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
       WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND w."ownerId" = $4 FOR NO KEY UPDATE OF a`,
      [proof.jobId, proof.attempt, proof.fence, tokenOwner],
    );
    if (!job || !attempt) throw staleFence(proof.attempt);
    // Ended by the sweep and by its worker are told apart: only the worker's own end may be said again.
    if (attempt.endedAt) {
      if (attempt.reason === outcome.reason && outcome.reason !== 'worker_lost') return undefined;
      throw staleFence(proof.attempt);
    }
    if (outcome.lastSeq > attempt.lastSeq) {
      throw new AppError('log_gap', `its log is stored up to line ${attempt.lastSeq} of ${outcome.lastSeq}`, {
        hint: 'Send the missing lines, then finish.',
        details: { expected: attempt.lastSeq + 1 },
      });
    }
    await checkOutput(sql, job.ownerId, outcome.outputSnapshotId);
    return endAttempt(sql, job, outcome);
  });
  if (ended) await tellEnd(deps, ended);
}

/** Ends an attempt whose lease has run out, unless it was renewed or ended meanwhile. */
export async function loseAttempt(
  deps: Deps,
  lost: { jobId: string; attempt: number; fence: string },
): Promise<boolean> {
  const ended = await transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, lost.jobId);
    const attempt = await one<{ leaseUntil: Date; worker: string }>(
      sql,
      `SELECT a."leaseUntil", w.name AS worker FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
       WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND a."leaseUntil" < now()
       FOR NO KEY UPDATE OF a`,
      [lost.jobId, lost.attempt, lost.fence],
    );
    if (!job || !attempt || job.attempt !== lost.attempt) return undefined;
    const detail = `${attempt.worker} was not heard of after ${attempt.leaseUntil.toISOString()}`;
    return endAttempt(sql, job, { reason: 'worker_lost', detail, exitCode: null, outputSnapshotId: null });
  });
  if (ended) await tellEnd(deps, ended);
  return ended !== undefined;
}

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

interface Ended {
  job: LockedJob;
  again: boolean;
}

/** As it was told when it began, or as its end says it, whatever that worker's clock shows. */
const startOf = (ms: string): string =>
  `COALESCE("startedAt", LEAST(now(), GREATEST("createdAt", to_timestamp(${ms}::float8 / 1000))))`;

/** holds: the job and its attempt are locked, the attempt is the job's last and open */
async function endAttempt(sql: Sql, job: LockedJob, outcome: Outcome): Promise<Ended> {
  const stopped = job.stopRequestedBy !== null && reasons[outcome.reason].retry === 'system';
  let reason: Reason = stopped ? 'stopped_by_user' : outcome.reason;
  let detail = storable(stopped ? (job.stopRequestedBy ?? '') : outcome.detail);
  await sql.query(
    `UPDATE "Attempt" SET "endedAt" = now(), reason = $3, detail = $4, "exitCode" = $5
     WHERE "jobId" = $1 AND number = $2 AND "endedAt" IS NULL`,
    [job.id, job.attempt, outcome.reason, storable(outcome.detail), outcome.exitCode],
  );
  const again = triedAgain(job, reason);
  const lost = reason === 'worker_lost' && !again ? await lostAttempts(sql, job.id) : 0;
  if (lost >= maxSystemAttempts) {
    reason = 'kills_worker';
    detail = String(lost);
  }
  const sentence = reasonSentence(reason, detail);
  const failure = reasons[reason].retry === 'user' ? 1 : 0;
  if (again) {
    await sql.query(
      `UPDATE "Job" SET status = 'queued', "queuedAt" = now(), "ticketAt" = now(), "userFailures" = "userFailures" + $3,
         "outputSnapshotId" = COALESCE($4, "outputSnapshotId"), "startedAt" = ${startOf('$5')}
       WHERE id = $1 AND attempt = $2 AND status IN ('preparing','running','saving')`,
      [job.id, job.attempt, failure, outcome.outputSnapshotId, outcome.startedAt ?? null],
    );
    const message = `${sentence}; tried again as attempt ${job.attempt + 1}`;
    await addEvent(sql, { jobId: job.id, attempt: job.attempt, type: 'queued', reason, message });
  } else {
    const status: EndStatus = reasons[reason].status;
    await sql.query(
      `UPDATE "Job" SET status = $3, reason = $4, detail = $5, "exitCode" = $6, "finishedAt" = now(),
         "userFailures" = "userFailures" + $7, "outputSnapshotId" = COALESCE($8, "outputSnapshotId"), "startedAt" = ${startOf('$9')}
       WHERE id = $1 AND attempt = $2 AND status IN ('preparing','running','saving')`,
      [
        job.id,
        job.attempt,
        status,
        reason,
        detail,
        outcome.exitCode,
        failure,
        outcome.outputSnapshotId,
        outcome.startedAt ?? null,
      ],
    );
    await addEvent(sql, { jobId: job.id, attempt: job.attempt, type: status, reason, message: sentence });
  }
  return { job, again };
}

/** How many attempts of a job ended with their worker lost. */
async function lostAttempts(sql: Sql, jobId: string): Promise<number> {
  const counted = await one<{ lost: number }>(
    sql,
    `SELECT count(*)::int AS lost FROM "Attempt" WHERE "jobId" = $1 AND reason = 'worker_lost'`,
    [jobId],
  );
  return counted?.lost ?? 0;
}

async function tellEnd(deps: Deps, { job, again }: Ended): Promise<void> {
  await deps.hub.publish({ type: 'job', jobId: job.id });
  if (again) await announceQueued(deps, job);
  await wakeForOwner(deps, job.ownerId);
}

/** Ends a queued job at once, asks for the end of a running one, leaves an ended one. Asking twice is no error. */
export async function stopJob(deps: Deps, jobId: string, by: string): Promise<void> {
  const told = await transaction(deps.pool, async (sql): Promise<{ workerId?: string } | undefined> => {
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
      return {};
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
  });
  if (!told) return;
  if (told.workerId) await deps.hub.publish({ type: 'stop', jobId, workerId: told.workerId });
  await deps.hub.publish({ type: 'job', jobId });
}
