import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { findJob } from '../jobs/access.js';

/** A job whose event files are shown. */
export interface ShownJob {
  id: string;
  owner: string;
  project: string;
  number: number;
}

/** Jobs by their names, each of which the caller may read. @throws AppError not_found */
export async function jobsNamed(deps: Deps, caller: UserPrincipal, names: string): Promise<ShownJob[]> {
  const found = new Map<string, ShownJob>();
  for (const name of names.split(',')) {
    const [owner = '', , project = '', number] = name.split('/');
    const job = await findJob(deps, caller, { owner, project, number: Number(number) }, 'read');
    found.set(job.id, { id: job.id, owner, project, number: job.number });
  }
  return [...found.values()];
}

/** Jobs by id, all of which the caller may read. @throws AppError not_found */
export async function jobsById(
  deps: Deps,
  caller: Pick<UserPrincipal, 'userId' | 'role' | 'teams'>,
  ids: readonly string[],
): Promise<ShownJob[]> {
  const { rows } = await deps.pool.query<ShownJob>(
    `SELECT j.id, u.name AS owner, p.name AS project, j.number FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
       JOIN "User" u ON u.id = p."ownerId" WHERE j.id = ANY($1::uuid[]) AND ($3 OR p.public OR p."ownerId" = ANY($2))`,
    [ids, readableOwners(caller), caller.role === 'admin'],
  );
  if (rows.length < ids.length)
    throw new AppError('not_found', 'a job is gone, or you may not see it any more');
  return rows;
}
