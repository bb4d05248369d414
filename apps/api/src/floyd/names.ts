import { AppError, nameSchema } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { Need } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { findJob, findJobById, findProject, type JobRef, type ProjectRow } from '../jobs/access.js';
import { createProject } from '../projects/create.js';
import { findWritableOwner } from '../teams/owner.js';

/** Is it the id of a row, and no name? */
export const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** What a job has, by the end of its name. `files` and `home` were the output's other names. */
const jobParts = { output: 'output', files: 'output', home: 'output', code: 'code' } as const;

export interface JobPart {
  job: JobRef;
  part: 'output' | 'code';
}

/**
 * A job, or what it has: `lab/projects/cats/12`, with `/output` or the like behind it, or its id. An empty owner is the caller,
 * who typed `cats/12`.
 * @throws AppError not_found
 */
export async function findNamedJob(
  deps: Deps,
  caller: UserPrincipal,
  name: string,
  need: Need,
): Promise<JobPart> {
  if (isId(name)) return { job: await findJobById(deps, caller, name, need), part: 'output' };
  const [owner, projects, project, number, part = 'output', ...more] = name.split('/');
  const known = Object.hasOwn(jobParts, part) && more.length === 0;
  if (projects !== 'projects' || !project || !/^[1-9]\d{0,8}$/.test(number ?? '') || !known) {
    throw new AppError('not_found', `there is no job "${name}"`, {
      hint: 'Write it as OWNER/projects/NAME/NUMBER.',
    });
  }
  const at = { owner: owner || caller.name, project, number: Number(number) };
  return {
    job: await findJob(deps, caller, at, need),
    part: jobParts[part as keyof typeof jobParts],
  };
}

/** `lab/cats`, `lab/projects/cats` or, for data, `lab/datasets/cats`, which is what we answer as the id of either. */
export function readName(text: string, kind: 'projects' | 'datasets', caller: UserPrincipal) {
  const parts = text.split('/').filter((part, i) => !(i === 1 && part === kind));
  const [owner, name] = parts;
  if (parts.length !== 2 || !name) {
    throw new AppError('bad_request', `"${text}" is no name of a ${kind.slice(0, -1)} of this server`, {
      hint: `Was this folder made for another server? Run \`floyd ${kind === 'datasets' ? 'data ' : ''}init NAME\` in it.`,
    });
  }
  const parsed = nameSchema.safeParse(name);
  if (!parsed.success) {
    throw new AppError('bad_request', `"${name}" can't be a name: ${parsed.error.issues[0]?.message}`);
  }
  return { owner: owner || caller.name, name };
}

/**
 * The client can't make a project, only send people to a page that is gone. So one of the caller's own, or of a team of his,
 * counts as being there before it is, and its first job makes it: nothing that only reads makes anything.
 * @returns undefined for one that isn't there yet and that the caller could make. @throws AppError not_found for another's
 */
export function findOwnProject(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; name: string },
): Promise<ProjectRow | undefined> {
  return unlessMissing(deps, caller, at.owner, () => findProject(deps, caller, at.owner, at.name, 'read'));
}

export async function ensureProject(deps: Deps, caller: UserPrincipal, at: { owner: string; name: string }) {
  if (await findOwnProject(deps, caller, at)) return;
  await createProject(deps, caller, { owner: at.owner, name: at.name, description: '', public: false });
}

/** What `find` finds; undefined where the caller could make it. */
export async function unlessMissing<T>(
  deps: Deps,
  caller: UserPrincipal,
  owner: string,
  find: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (isRefusal(error, 'not_found') && (await mayMakeFor(deps, caller, owner))) return undefined;
    throw error;
  }
}

async function mayMakeFor(deps: Deps, caller: UserPrincipal, owner: string): Promise<boolean> {
  try {
    await findWritableOwner(deps, caller, owner);
    return true;
  } catch (error) {
    if (isRefusal(error, 'not_found') || isRefusal(error, 'forbidden')) return false;
    throw error;
  }
}

const isRefusal = (error: unknown, code: AppError['code']): boolean =>
  error instanceof AppError && error.code === code;
