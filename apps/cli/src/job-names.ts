import { AppError, type Client, type JobRef, jobRoutes, parseJobRef, projectRoutes } from '@mycloud/shared';

interface Defaults {
  /** The project of the folder the person is in. */
  folder(): Promise<{ owner: string; project: string } | undefined>;
  /** Who is logged in. */
  owner(): Promise<string>;
}

const isFull = (text: string): boolean => /^[^/]+\/(projects\/)?[^/]+\/\d+$/.test(text);

/**
 * Reads `12`, `name/12`, `owner/projects/name/12`; a bare number is of the folder's project, as is `job/12`.
 * @throws AppError bad_request when it names no one job
 */
export async function exactJob(text: string, defaults: Defaults): Promise<JobRef> {
  if (isFull(text)) return parseJobRef(text, { owner: '' });
  const folder = await defaults.folder();
  const number = folder ? text.replace(/^jobs?\/(?=\d+$)/, '') : text;
  const owner = folder?.owner ?? (await defaults.owner());
  return parseJobRef(number, { owner, project: folder?.project });
}

/**
 * As exactJob; a project's name, or nothing, stands for its newest job.
 * @throws AppError not_found when the project has none
 */
export async function namedJob(
  client: Client,
  text: string | undefined,
  defaults: Defaults,
): Promise<JobRef> {
  if (text !== undefined && /(^|\/)\d+\/?$/.test(text)) return exactJob(text, defaults);
  const at = text === undefined ? await defaults.folder() : await projectOf(text, defaults);
  if (!at)
    throw new AppError('bad_request', 'which job? This folder belongs to no project', {
      hint: 'Write OWNER/projects/NAME/NUMBER, or run `mycloud init NAME` here.',
    });
  const { items } = await client.call(jobRoutes.list, { query: { ...at, limit: 1 } });
  if (items[0]) return { ...at, number: items[0].number };
  // Says so with the nearest names where there is no such project.
  await client.call(projectRoutes.get, { params: at });
  throw new AppError('not_found', `${at.owner}/projects/${at.project} has no jobs yet`, {
    hint: 'Begin with: mycloud run "COMMAND"',
  });
}

/** Reads `name`, `owner/name`, `owner/projects/name`. @throws AppError bad_request */
export async function projectOf(
  text: string,
  defaults: Pick<Defaults, 'owner'>,
): Promise<{ owner: string; project: string }> {
  const [, owner, project] = /^(?:([^/]+)\/)?(?:projects\/)?([^/]+)\/?$/.exec(text) ?? [];
  if (!project)
    throw new AppError('bad_request', `"${text}" names neither a job nor a project`, {
      hint: 'Write it as OWNER/projects/NAME/NUMBER, NAME/NUMBER or NUMBER.',
    });
  return { owner: owner ?? (await defaults.owner()), project };
}
