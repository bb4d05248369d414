import type { Machine, RunningLimits } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { one, prepared } from './sql.js';

/** May who submitted a job, or its team, run only so much at once? Of the row of the job as `j`. */
export const isLimited = `EXISTS (SELECT 1 FROM "User" u WHERE u.id IN (j."ownerId", j."teamId")
  AND (u."maxJobs" IS NOT NULL OR u."maxGpus" IS NOT NULL))`;

/** The catalogue's machines and their GPUs, as SQL takes them. */
export const gpusOfMachines = (machines: readonly Machine[]): [names: string[], gpus: number[]] => [
  machines.map((machine) => machine.name),
  machines.map((machine) => machine.gpus),
];

/** Sets what is given, and lets jobs begin that waited for it. @returns undefined when there is no such user */
export async function setRunningLimits(
  deps: Deps,
  user: string,
  { jobs, gpus }: Partial<RunningLimits>,
): Promise<RunningLimits | undefined> {
  const row = await one<RunningLimits & { id: string }>(
    deps.pool,
    `UPDATE "User" SET "maxJobs" = CASE WHEN $2 THEN $3 ELSE "maxJobs" END,
       "maxGpus" = CASE WHEN $4 THEN $5 ELSE "maxGpus" END
     WHERE name = $1 RETURNING id, "maxJobs" AS jobs, "maxGpus" AS gpus`,
    [user, jobs !== undefined, jobs ?? null, gpus !== undefined, gpus ?? null],
  );
  if (!row) return undefined;
  const { rows } = await deps.pool.query<{ machine: string }>(
    prepared(
      `SELECT DISTINCT machine FROM "Job" WHERE ("ownerId" = $1 OR "teamId" = $1) AND status = 'queued'`,
      [row.id],
    ),
  );
  for (const { machine } of rows) await deps.hub.publish({ type: 'wake', machine });
  return { jobs: row.jobs, gpus: row.gpus };
}

/** Wakes workers for what waited until a job of these, a user and a team, ended. Without limits they have no such jobs. */
export async function wakeForOwners(deps: Deps, ids: (string | null)[]): Promise<void> {
  const { rows } = await deps.pool.query<{ machine: string }>(
    prepared(
      `SELECT DISTINCT j.machine FROM "User" u JOIN "Job" j ON (j."ownerId" = u.id OR j."teamId" = u.id) AND j.status = 'queued'
     WHERE u.id = ANY($1) AND (u."maxJobs" IS NOT NULL OR u."maxGpus" IS NOT NULL)`,
      [ids.filter((id) => id !== null)],
    ),
  );
  for (const { machine } of rows) await deps.hub.publish({ type: 'wake', machine });
}

/** Why a job waits for others of its submitter, or its team, to end; undefined when it doesn't. */
export async function heldByLimits(
  deps: Deps,
  jobId: string,
  gpusWanted: number,
): Promise<string | undefined> {
  const { rows } = await deps.pool.query<Held>(
    `SELECT u.name, u."maxJobs" AS jobs, u."maxGpus" AS gpus, count(r.id)::int AS running,
       COALESCE(sum(m.gpus), 0)::int AS used
     FROM "Job" j JOIN "User" u ON u.id IN (j."ownerId", j."teamId")
       LEFT JOIN "Job" r ON (r."ownerId" = u.id OR r."teamId" = u.id) AND r.status IN ('preparing', 'running')
       LEFT JOIN unnest($2::text[], $3::int[]) AS m(name, gpus) ON m.name = r.machine
     WHERE j.id = $1 AND (u."maxJobs" IS NOT NULL OR u."maxGpus" IS NOT NULL) GROUP BY u.id`,
    [jobId, ...gpusOfMachines(deps.catalogue.machines)],
  );
  return rows.map((row) => heldBy(row, gpusWanted)).find((why) => why !== undefined);
}

interface Held {
  name: string;
  jobs: number | null;
  gpus: number | null;
  running: number;
  used: number;
}

function heldBy({ name, jobs, gpus, running, used }: Held, gpusWanted: number): string | undefined {
  if (jobs !== null && running >= jobs) return `${name} has ${running} of ${jobs} jobs running`;
  if (gpus === null || gpusWanted === 0 || used + gpusWanted <= gpus) return undefined;
  return `${name} has ${used} of ${gpus} GPUs in use, and this job takes ${gpusWanted}`;
}
