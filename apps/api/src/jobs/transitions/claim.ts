import { imagePrefix, type JobMode } from '@mycloud/shared';
import type { Deps } from '../../deps.js';
import { gpusOfMachines } from '../running-limits.js';
import { one } from '../sql.js';

/** A job that was taken, with all of it that its worker needs. */
export interface Claimed {
  jobId: string;
  attempt: number;
  /** As Postgres gives a bigint. */
  fence: string;
  /** Seconds it stood in the queue. */
  waited: number;
  owner: string;
  project: string;
  number: number;
  mode: JobMode;
  command: string;
  env: Record<string, string>;
  machine: string;
  environment: string;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  idleSeconds: number | null;
  jupyterToken: string | null;
  traceparent: string | null;
  codeId: string | null;
  codeHash: string | null;
  /** Its output, of an earlier attempt. */
  outputId: string | null;
  outputHash: string | null;
  /** What was said of it when it was submitted. */
  notes: string[];
  mounts: { name: string; snapshotId: string; snapshot: string }[];
}

const columns = `made.number AS attempt, made.fence, moved.waited, u.name AS owner, p.name AS project, j.number, j.mode,
  j.command, j.env, j.machine, j.environment, j.tensorboard, j."maxRuntimeSeconds", j."idleSeconds", j."jupyterToken",
  j.traceparent, c.id AS "codeId", c.hash AS "codeHash", o.id AS "outputId", o.hash AS "outputHash",
  ARRAY(SELECT e.message FROM "Event" e WHERE e."jobId" = j.id AND e.type = 'note' ORDER BY e.id) AS notes,
  COALESCE((SELECT json_agg(json_build_object('name', m.name, 'snapshotId', m."snapshotId", 'snapshot', s.hash) ORDER BY m.name)
    FROM "Mount" m JOIN "Snapshot" s ON s.id = m."snapshotId" WHERE m."jobId" = j.id), '[]') AS mounts`;

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
  const claimed = await one<Claimed>(
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
       RETURNING j.id, j.attempt, EXTRACT(EPOCH FROM now() - j."queuedAt")::float8 AS waited),
     made AS (
       INSERT INTO "Attempt" ("jobId", number, "workerId", fence, "leaseUntil")
       SELECT id, attempt, $1, nextval('mycloud_fence'), now() + make_interval(secs => $2) FROM moved
       RETURNING "jobId", number, fence),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message) SELECT id, attempt, 'preparing', $6::text FROM moved)
     SELECT made."jobId", ${columns}
     FROM made JOIN moved ON moved.id = made."jobId" JOIN "Job" j ON j.id = made."jobId"
       JOIN "Project" p ON p.id = j."projectId" JOIN "User" u ON u.id = p."ownerId"
       LEFT JOIN "Snapshot" c ON c.id = j."codeSnapshotId" LEFT JOIN "Snapshot" o ON o.id = j."outputSnapshotId"`,
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
  return claimed;
}
