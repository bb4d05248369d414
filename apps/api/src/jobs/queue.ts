import { jobName, type QueuedJob } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { heldByLimits } from './running-limits.js';
import { type Line, lineOf, needsImages, waitingReason } from './waiting.js';

interface Row {
  id: string;
  owner: string;
  project: string;
  number: number;
  machine: string;
  environment: string;
  place: number;
  queuedAt: Date;
}

/** The queued jobs the caller may see, machine by machine in the order they are taken, with why each waits. */
export async function listQueue(
  deps: Deps,
  caller: UserPrincipal,
  limit: number,
): Promise<{ items: QueuedJob[]; total: number }> {
  const admin = caller.role === 'admin';
  const { rows } = await deps.pool.query<Row & { total: number }>(
    `SELECT q.id, u.name AS owner, p.name AS project, q.number, q.machine, q.environment, q.place, q."queuedAt", q.total
     FROM (SELECT id, number, machine, environment, "queuedAt", "projectId", count(*) OVER ()::int AS total,
             row_number() OVER (PARTITION BY machine ORDER BY priority, "queuedAt", id)::int AS place
           FROM "Job" WHERE status = 'queued') q
       JOIN "Project" p ON p.id = q."projectId" JOIN "User" u ON u.id = p."ownerId"
     WHERE p.public OR p."ownerId" = $1 OR $2 ORDER BY q.place, q."queuedAt", q.id LIMIT $3`,
    [caller.userId, admin, limit],
  );
  const lines = new Map<string, Line>();
  for (const { machine } of rows) if (!lines.has(machine)) lines.set(machine, await lineOf(deps, machine));
  const sees = (job: { public: boolean; ownerId: string }) =>
    admin || job.public || job.ownerId === caller.userId;
  // By owner and GPUs, on which alone it depends.
  const held = new Map<string, string | undefined>();
  for (const row of rows) {
    const { gpus } = lines.get(row.machine)!;
    const key = `${row.owner} ${gpus}`;
    if (gpus !== undefined && !held.has(key)) held.set(key, await heldByLimits(deps, row.id, gpus));
  }
  const items = rows.map((row) => ({
    id: row.id,
    name: jobName(row),
    owner: row.owner,
    machine: row.machine,
    place: row.place,
    reason:
      held.get(`${row.owner} ${lines.get(row.machine)!.gpus}`) ??
      waitingReason(
        deps,
        lines.get(row.machine)!,
        { place: row.place, image: needsImages(deps, row.environment) },
        sees,
      ),
    queuedAt: row.queuedAt.toISOString(),
  }));
  return { items, total: rows[0]?.total ?? (await countQueued(deps)) };
}

async function countQueued(deps: Deps): Promise<number> {
  return deps.db.job.count({ where: { status: 'queued' } });
}
