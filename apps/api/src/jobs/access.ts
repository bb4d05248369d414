import { AppError, jobName, nearest } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Need, reaches, readableOwners, rightOver } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { one } from './sql.js';

export interface ProjectRow {
  id: string;
  ownerId: string;
  owner: string;
  name: string;
  public: boolean;
}

export interface JobRef {
  id: string;
  number: number;
  status: string;
  attempt: number;
  /** id of the user */
  submittedBy: string;
  project: ProjectRow;
}

/**
 * A project the caller may read, write or delete: by what he is to its owner (http/owners.ts); admins may all of it, everybody may
 * read a public one.
 * @throws AppError not_found with the nearest names the caller may see; forbidden for a write to another's public project
 */
export async function findProject(
  deps: Deps,
  caller: UserPrincipal,
  owner: string,
  name: string,
  need: Need,
): Promise<ProjectRow> {
  const project = await one<ProjectRow>(
    deps.pool,
    `SELECT p.id, p."ownerId", u.name AS owner, p.name, p.public
     FROM "Project" p JOIN "User" u ON u.id = p."ownerId" WHERE u.name = $1 AND p.name = $2`,
    [owner, name],
  );
  const right = project && rightOver(caller, project.ownerId);
  if (!project || !right || !(project.public || reaches(right, 'read')))
    throw await unknownProject(deps, caller, owner, name);
  if (need !== 'read' && !reaches(right, need)) {
    const may = right === 'write' ? 'not delete it' : 'only read it';
    throw new AppError('forbidden', `${owner}/projects/${name} belongs to ${owner}; you may ${may}`, {
      hint: right === 'none' ? undefined : `An admin of ${owner} can give you another role.`,
    });
  }
  return project;
}

async function unknownProject(deps: Deps, caller: UserPrincipal, owner: string, name: string) {
  const { rows } = await deps.pool.query<{ name: string }>(
    `SELECT u.name || '/projects/' || p.name AS name FROM "Project" p JOIN "User" u ON u.id = p."ownerId"
     WHERE p."ownerId" = ANY($1) OR p.public OR $2 ORDER BY p."createdAt" DESC LIMIT 1000`,
    [readableOwners(caller), caller.role === 'admin'],
  );
  const asked = `${owner}/projects/${name}`;
  const near = nearest(
    asked,
    rows.map((row) => row.name),
  );
  return new AppError('not_found', `there is no project ${asked}, or you may not see it`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : undefined,
  });
}

/** A job of such a project; deleting one may also who submitted it, if he may still write there. @throws AppError not_found, saying which numbers there are */
export async function findJob(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; project: string; number: number },
  need: Need,
): Promise<JobRef> {
  const find = (right: Need) => findProject(deps, caller, at.owner, at.project, right);
  const project = await find(need === 'read' ? 'read' : 'write');
  const job = await one<Omit<JobRef, 'project'>>(
    deps.pool,
    'SELECT id, number, status, attempt, "ownerId" AS "submittedBy" FROM "Job" WHERE "projectId" = $1 AND number = $2',
    [project.id, at.number],
  );
  if (job && need === 'manage' && job.submittedBy !== caller.userId) await find('manage');
  if (job) return { ...job, project };
  const last = await one<{ number: number | null }>(
    deps.pool,
    'SELECT max(number) AS number FROM "Job" WHERE "projectId" = $1',
    [project.id],
  );
  throw new AppError('not_found', `there is no job ${jobName(at)}`, {
    hint: last?.number
      ? `The newest job of ${at.project} is ${last.number}.`
      : `${at.project} has no jobs yet.`,
  });
}

/** A job by its id. @throws AppError not_found */
export async function findJobById(
  deps: Deps,
  caller: UserPrincipal,
  id: string,
  need: Need,
): Promise<JobRef> {
  const at = await one<{ owner: string; project: string; number: number }>(
    deps.pool,
    `SELECT u.name AS owner, p.name AS project, j.number FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
       JOIN "User" u ON u.id = p."ownerId" WHERE j.id = $1 AND (p.public OR p."ownerId" = ANY($2) OR $3)`,
    [id, readableOwners(caller), caller.role === 'admin'],
  );
  if (!at) throw new AppError('not_found', `there is no job ${id}, or you may not see it`);
  return findJob(deps, caller, at, need);
}
