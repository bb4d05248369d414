import type { AttemptProof, BuiltEnvironment, WorkerCommand, WorkerUse } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { one, prepared } from '../jobs/sql.js';
import { returnJob } from '../jobs/transitions/return.js';
import { findWorker } from './held.js';

interface Heartbeat {
  workerId: string;
  attempts: AttemptProof[];
  /** GPUs of it that something other than its jobs computes on. */
  foreignGpus: number;
  use?: WorkerUse;
  /** What is built there. */
  environments?: BuiltEnvironment[];
}

/**
 * Renews the leases of all these attempts in one statement, and notes what of the worker's computer is in use.
 * @returns those it could not renew, whose executions must end, and what is to be stopped
 * @throws AppError not_found when the worker isn't registered
 */
export async function renewLeases(
  deps: Deps,
  caller: WorkerPrincipal,
  { workerId, attempts, foreignGpus, use, environments }: Heartbeat,
): Promise<{ refused: AttemptProof[]; commands: WorkerCommand[] }> {
  await findWorker(deps.pool, caller, workerId);
  const noted = await one<{ unwanted: string[] }>(
    deps.pool,
    `UPDATE "Worker" SET "foreignGpus" = $2, use = coalesce($3, use), environments = coalesce($4, environments),
       unwanted = CASE WHEN $5::text[] IS NULL THEN unwanted
         ELSE ARRAY(SELECT id FROM unnest(unwanted) id WHERE id = ANY($5)) END
     WHERE id = $1 RETURNING unwanted`,
    [
      workerId,
      foreignGpus,
      use ?? null,
      environments ? JSON.stringify(environments) : null,
      environments?.filter(({ inUse }) => !inUse).map(({ id }) => id) ?? null,
    ],
  );
  const removals = (noted?.unwanted ?? []).map(removal);
  await returnUnknown(deps, workerId, attempts);
  if (attempts.length === 0) return { refused: [], commands: removals };
  const { rows } = await deps.pool.query<{ jobId: string; number: number; fence: string; by: string | null }>(
    prepared(
      `WITH renewed AS (
       UPDATE "Attempt" a SET "leaseUntil" = now() + make_interval(secs => $5)
       FROM unnest($1::uuid[], $2::int[], $3::bigint[]) s(id, number, fence)
       WHERE a."jobId" = s.id AND a.number = s.number AND a.fence = s.fence AND a."workerId" = $4 AND a."endedAt" IS NULL
       RETURNING a."jobId", a.number, a.fence)
     SELECT r.*, j."stopRequestedBy" AS by FROM renewed r JOIN "Job" j ON j.id = r."jobId"`,
      [
        attempts.map((a) => a.jobId),
        attempts.map((a) => a.attempt),
        attempts.map((a) => a.fence),
        workerId,
        deps.config.leaseSeconds,
      ],
    ),
  );
  const renewed = new Set(rows.map((row) => `${row.jobId} ${row.number} ${row.fence}`));
  return {
    refused: attempts.filter((a) => !renewed.has(`${a.jobId} ${a.attempt} ${a.fence}`)),
    commands: [
      ...rows.flatMap((row) => (row.by === null ? [] : [stopCommand(row.jobId, row.number, row.by)])),
      ...removals,
    ],
  };
}

/** At most so long after a claim its worker may not know of it yet, seconds. */
const answerSeconds = ({ leaseSeconds }: Deps['config']): number => Math.min(10, leaseSeconds / 2);

/** Jobs given to this worker that it doesn't know: the answer to its claim was lost on the way. */
async function returnUnknown(deps: Deps, workerId: string, known: AttemptProof[]): Promise<void> {
  const { rows } = await deps.pool.query<{ jobId: string; attempt: number; fence: string }>(
    prepared(
      `SELECT "jobId", number AS attempt, fence FROM "Attempt" WHERE "workerId" = $1 AND "endedAt" IS NULL
       AND "startedAt" < now() - make_interval(secs => $2) AND NOT fence = ANY($3::bigint[])`,
      [workerId, answerSeconds(deps.config), known.map((attempt) => attempt.fence)],
    ),
  );
  for (const given of rows) await returnJob(deps, given);
}

const removal = (id: string): WorkerCommand => ({ type: 'remove_environment', id });

const stopCommand = (jobId: string, attempt: number, by: string): WorkerCommand => ({
  type: 'stop',
  jobId,
  attempt,
  reason: 'stopped_by_user',
  detail: by,
});

/** What of its built environments an admin wants removed. */
export async function pendingRemovals(deps: Deps, workerId: string): Promise<WorkerCommand[]> {
  const row = await one<{ unwanted: string[] }>(deps.pool, 'SELECT unwanted FROM "Worker" WHERE id = $1', [
    workerId,
  ]);
  return (row?.unwanted ?? []).map(removal);
}

/** What this worker runs and somebody asked to stop. */
export async function pendingStops(deps: Deps, workerId: string): Promise<WorkerCommand[]> {
  const { rows } = await deps.pool.query<{ jobId: string; number: number; by: string }>(
    prepared(
      `SELECT a."jobId", a.number, j."stopRequestedBy" AS by FROM "Attempt" a JOIN "Job" j ON j.id = a."jobId"
     WHERE a."workerId" = $1 AND a."endedAt" IS NULL AND j."stopRequestedBy" IS NOT NULL`,
      [workerId],
    ),
  );
  return rows.map((row) => stopCommand(row.jobId, row.number, row.by));
}
