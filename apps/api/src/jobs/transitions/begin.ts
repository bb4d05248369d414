import { type AttemptProof, imagePrefix } from '@mycloud/shared';
import type { Deps } from '../../deps.js';
import { gpusOfMachines } from '../running-limits.js';
import { one, type Sql } from '../sql.js';
import { storable } from '../text.js';
import { staleFence } from './lock.js';

export interface NewJob {
  id: string;
  projectId: string;
  /** who submitted it */
  ownerId: string;
  /** the team that owns its project; null: the submitter does */
  teamId: string | null;
  mode: string;
  command: string;
  description: string;
  tags: string[];
  machine: string;
  environment: string;
  env: Record<string, string>;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  retries: number;
  idleSeconds: number | null;
  jupyterToken: string | null;
  codeSnapshotId: string | null;
  /** Addresses that hear of its end. */
  notify: string[];
  /** Of the schedule that submits it. */
  scheduleId: string | null;
  traceparent: string | null;
}

interface NewMount {
  name: string;
  source: string;
  snapshotId: string;
}

/**
 * Adds a job to a project, with its mounts and the events of its beginning, in one statement: submissions to a project wait
 * for one another from the number on. It is queued, its ticket counted as sent; its priority is the number of jobs its owner
 * has outstanding.
 * @param said further events of its beginning
 * @returns undefined when there is no such project any more
 */
export async function queueJob(
  sql: Sql,
  job: NewJob,
  mounts: readonly NewMount[],
  said: readonly { type: string; message: string }[],
): Promise<{ priority: number; number: number } | undefined> {
  return one<{ priority: number; number: number }>(
    sql,
    `WITH project AS (UPDATE "Project" SET "lastJob" = "lastJob" + 1 WHERE id = $2 RETURNING "lastJob" AS number),
     made AS (
       INSERT INTO "Job" (id, "projectId", number, "ownerId", command, description, machine, environment, env,
         tensorboard, "maxRuntimeSeconds", retries, "codeSnapshotId", tags, mode, "idleSeconds", "jupyterToken",
         "teamId", notify, "scheduleId", traceparent, "ticketAt", status, priority)
       SELECT $1, $2, number, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $22, $23::text[], $24, $25, now(), 'queued',
         (SELECT count(*) FROM "Job" WHERE "ownerId" = $3 AND status IN ('queued','preparing','running','saving'))
       FROM project RETURNING id, number, priority),
     mounted AS (
       INSERT INTO "Mount" ("jobId", name, source, "snapshotId")
       SELECT made.id, m.* FROM made, unnest($17::text[], $18::text[], $19::uuid[]) m),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message)
       SELECT made.id, 0, e.type, e.message FROM made, unnest($20::text[], $21::text[]) WITH ORDINALITY e(type, message, nth)
       ORDER BY nth)
     SELECT priority, number FROM made`,
    [
      job.id,
      job.projectId,
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
      job.mode,
      job.idleSeconds,
      job.jupyterToken,
      mounts.map((mount) => mount.name),
      mounts.map((mount) => mount.source),
      mounts.map((mount) => mount.snapshotId),
      ['queued', ...said.map((event) => event.type)],
      [`queued for ${job.machine}`, ...said.map((event) => event.message)].map(storable),
      job.teamId,
      job.notify,
      job.scheduleId,
      job.traceparent,
    ],
  );
}

export interface Claimed {
  jobId: string;
  attempt: number;
  fence: number;
  /** Seconds it stood in the queue. */
  waited: number;
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
           AND NOT EXISTS (SELECT 1 FROM limited l WHERE l.id IN (w."ownerId", w."teamId") AND (l.full OR m.gpus > l.gpus_left))
         ORDER BY priority, "queuedAt" LIMIT 64) q
       JOIN "Job" j ON j.id = q.id AND j.status = 'queued'
       WHERE m.name = ANY($3) ORDER BY q.priority, q."queuedAt" LIMIT 1 FOR NO KEY UPDATE OF j SKIP LOCKED`;
  const began = performance.now();
  const claimed = await one<{
    jobId: string;
    attempt: number;
    fence: string;
    machine: string;
    waited: number;
  }>(
    deps.pool,
    `WITH catalogue AS (SELECT * FROM unnest($4::text[], $5::int[]) c(name, gpus)),
     limited AS (
       SELECT u.id, count(r.id) >= u."maxJobs" AS full,
         COALESCE(u."maxGpus" - COALESCE(sum(c.gpus), 0), 1000000) AS gpus_left
       FROM "User" u LEFT JOIN "Job" r ON (r."ownerId" = u.id OR r."teamId" = u.id) AND r.status IN ('preparing','running')
         LEFT JOIN catalogue c ON c.name = r.machine
       WHERE u."maxJobs" IS NOT NULL OR u."maxGpus" IS NOT NULL GROUP BY u.id),
     next AS (${next}),
     moved AS (
       UPDATE "Job" j SET status = 'preparing', attempt = j.attempt + 1 FROM next
       WHERE j.id = next.id AND j.status = 'queued' AND NOT (SELECT draining OR "removedAt" IS NOT NULL FROM "Worker" WHERE id = $1)
         AND mycloud_may_run(j."ownerId", (SELECT gpus FROM catalogue c WHERE c.name = j.machine), $4, $5)
         AND mycloud_may_run(j."teamId", (SELECT gpus FROM catalogue c WHERE c.name = j.machine), $4, $5)
       RETURNING j.id, j.attempt, j.machine, EXTRACT(EPOCH FROM now() - j."queuedAt")::float8 AS waited),
     made AS (
       INSERT INTO "Attempt" ("jobId", number, "workerId", fence, "leaseUntil")
       SELECT id, attempt, $1, nextval('mycloud_fence'), now() + make_interval(secs => $2) FROM moved
       RETURNING "jobId", number, fence),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message) SELECT id, attempt, 'preparing', $6::text FROM moved)
     SELECT "jobId", number AS attempt, fence, machine, waited FROM made JOIN moved ON moved.id = made."jobId"`,
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
  const { jobId, attempt, machine, waited } = claimed;
  deps.metrics.claimSeconds.observe((performance.now() - began) / 1000);
  deps.metrics.waitSeconds.observe({ machine }, waited);
  deps.log.info({ jobId, attempt, worker: worker.name, machine, waited }, 'job claimed');
  // Not waited for: it never fails, and a worker is waiting.
  void deps.hub.publish({ type: 'job', jobId });
  return { jobId, attempt, fence: Number(claimed.fence), waited };
}

const stages = {
  running: { from: ['preparing'], message: 'the command runs' },
  saving: { from: ['preparing', 'running'], message: 'its output is being saved' },
};

/** preparing → running → saving. Said twice, or late, it is no error while the lease holds. @throws AppError stale_fence */
export async function setStage(
  deps: Deps,
  proof: AttemptProof,
  tokenId: string,
  to: keyof typeof stages,
): Promise<void> {
  const { from, message } = stages[to];
  const done = await one<{ held: number; moved: number }>(
    deps.pool,
    `WITH held AS (
       SELECT j.id FROM "Job" j
       JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt
       JOIN "Worker" w ON w.id = a."workerId"
       WHERE j.id = $1 AND j.attempt = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND mycloud_speaks_for($4, w)
       FOR NO KEY UPDATE OF j),
     moved AS (
       UPDATE "Job" j SET status = $5,
         "startedAt" = CASE WHEN $5 = 'running' THEN COALESCE(j."startedAt", now()) ELSE j."startedAt" END
       FROM held WHERE j.id = held.id AND j.status = ANY($6) RETURNING j.id),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message) SELECT id, $2, $5, $7 FROM moved)
     SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM moved)::int AS moved`,
    [proof.jobId, proof.attempt, proof.fence, tokenId, to, from, message],
  );
  if (!done?.held) throw staleFence(proof.attempt);
  if (done.moved === 0) return;
  deps.log.info({ jobId: proof.jobId, attempt: proof.attempt, status: to }, 'job went on');
  await deps.hub.publish({ type: 'job', jobId: proof.jobId });
}
