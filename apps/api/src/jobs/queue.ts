import { jobName, type QueuedJob } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { heldByLimits } from './running-limits.js';
import { type Line, lineOf, needsImages, waitingReason } from './waiting.js';

interface Row {
  id: string;
  /** id of the user */
  submittedBy: string;
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
  const owners = readableOwners(caller);
  const { rows } = await deps.pool.query<Row & { total: number }>(
    `SELECT q.id, u.name AS owner, q."ownerId" AS "submittedBy", p.name AS project, q.number, q.machine, q.environment, q.place, q."queuedAt", q.total
     FROM (SELECT id, number, machine, environment, "queuedAt", "projectId", "ownerId", count(*) OVER ()::int AS total,
             row_number() OVER (PARTITION BY machine ORDER BY priority, "queuedAt", id)::int AS place
           FROM "Job" WHERE status = 'queued') q
       JOIN "Project" p ON p.id = q."projectId" JOIN "User" u ON u.id = p."ownerId"
     WHERE p.public OR p."ownerId" = ANY($1) OR $2 ORDER BY q.place, q."queuedAt", q.id LIMIT $3`,
    [owners, admin, limit],
  );
  const lines = new Map<string, Line>();
  // By submitter, owner and machine, on which alone it depends.
  const held = new Map<string, string | undefined>();
  const sees = (job: { public: boolean; ownerId: string }) =>
    admin || job.public || owners.includes(job.ownerId);
  const items: QueuedJob[] = [];
  for (const { id, submittedBy, owner, project, number, machine, environment, place, queuedAt } of rows) {
    const line = lines.get(machine) ?? (await lineOf(deps, machine));
    lines.set(machine, line);
    const key = `${submittedBy} ${owner} ${machine}`;
    if (line.gpus !== undefined && !held.has(key)) held.set(key, await heldByLimits(deps, id, line.gpus));
    const image = needsImages(deps, environment);
    const reason = held.get(key) ?? waitingReason(deps, line, { place, image }, sees);
    const name = jobName({ owner, project, number });
    items.push({ id, name, owner, machine, place, reason, queuedAt: queuedAt.toISOString() });
  }
  return { items, total: rows[0]?.total ?? (await deps.db.job.count({ where: { status: 'queued' } })) };
}
