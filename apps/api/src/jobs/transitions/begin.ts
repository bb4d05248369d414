import type { AttemptProof } from '@mycloud/shared';
import type { Entry } from '../../audit/record.js';
import type { Deps } from '../../deps.js';
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
 * @param audit its entry in the audit trail, and what stands before its number in what it was done on
 * @returns undefined when there is no such project any more; `alike`: how many of the owner's that any worker would take as
 * well as this one wait already
 */
export async function queueJob(
  sql: Sql,
  job: NewJob,
  mounts: readonly NewMount[],
  said: readonly { type: string; message: string }[],
  audit?: Entry & { place: string },
): Promise<{ priority: number; number: number; alike: number } | undefined> {
  return one<{ priority: number; number: number; alike: number }>(
    sql,
    `WITH project AS (UPDATE "Project" SET "lastJob" = "lastJob" + 1 WHERE id = $2 RETURNING "lastJob" AS number),
     others AS (
       SELECT count(*) AS outstanding, count(*) FILTER (WHERE status = 'queued' AND machine = $6 AND environment = $7
         AND "teamId" IS NOT DISTINCT FROM $22::uuid) AS alike
       FROM "Job" WHERE "ownerId" = $3 AND status IN ('queued','preparing','running','saving')),
     made AS (
       INSERT INTO "Job" (id, "projectId", number, "ownerId", command, description, machine, environment, env,
         tensorboard, "maxRuntimeSeconds", retries, "codeSnapshotId", tags, mode, "idleSeconds", "jupyterToken",
         "teamId", notify, "scheduleId", traceparent, "ticketAt", status, priority)
       SELECT $1, $2, number, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $22, $23::text[], $24, $25, now(), 'queued',
         outstanding
       FROM project, others RETURNING id, number, priority),
     mounted AS (
       INSERT INTO "Mount" ("jobId", name, source, "snapshotId")
       SELECT made.id, m.* FROM made, unnest($17::text[], $18::text[], $19::uuid[]) m),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message)
       SELECT made.id, 0, e.type, e.message FROM made, unnest($20::text[], $21::text[]) WITH ORDINALITY e(type, message, nth)
       ORDER BY nth),
     audited AS (
       INSERT INTO "AuditEntry" ("userId", "user", via, action, target, detail, address, outcome)
       SELECT $26, $27, $28, $29, $30 || made.number, $31, $32, 'done' FROM made WHERE $29::text IS NOT NULL)
     SELECT priority, number, alike::int FROM made, others`,
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
      audit?.userId,
      audit?.user,
      audit?.via,
      audit?.action,
      audit?.place,
      audit && storable(JSON.stringify(audit.detail)),
      audit?.address,
    ],
  );
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
