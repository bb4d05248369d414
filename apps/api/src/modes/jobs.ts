import { AppError, type JobMode } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { readableOwners, writableOwners } from '../http/owners.js';
import type { Viewer } from '../http/passes.js';

/** Modes whose jobs are reached through this server. */
export type ServedMode = Exclude<JobMode, 'command'>;

/** A job that is reached so. */
export interface ServedJob {
  id: string;
  owner: string;
  project: string;
  number: number;
  jupyterToken: string | null;
}

/**
 * Jobs by id. A server may be used by whoever may see its job; a Jupyter runs whatever it is sent, in its owner's name: by
 * those alone who may submit in that name. @throws AppError not_found
 */
export async function servedJobs(
  deps: Deps,
  mode: ServedMode,
  login: Viewer,
  ids: string[],
): Promise<ServedJob[]> {
  const { rows } = await deps.pool.query<ServedJob>(
    `SELECT j.id, u.name AS owner, p.name AS project, j.number, j."jupyterToken"
     FROM "Job" j JOIN "Project" p ON p.id = j."projectId" JOIN "User" u ON u.id = p."ownerId"
     WHERE j.id = ANY($1::uuid[]) AND j.mode = $2
       AND (p."ownerId" = ANY($3) OR ($2 = 'serve' AND (p.public OR $4 OR p."ownerId" = ANY($5))))`,
    [ids, mode, writableOwners(login), login.role === 'admin', readableOwners(login)],
  );
  if (rows.length < ids.length)
    throw new AppError('not_found', 'the job is gone, or you may not use it any more');
  return rows;
}
