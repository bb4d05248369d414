import { AppError, type Job, type JobStatus, sortedJobs } from '@mycloud/shared';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { textCondition } from './search.js';
import { type JobRow, selectJobs, viewRows } from './view.js';
import { waitingShort } from './waiting.js';

export interface JobFilter {
  /** Whose private projects he may see. */
  owners: string[];
  admin: boolean;
  owner?: string;
  project?: string;
  status?: JobStatus;
  text?: string;
  tag?: string;
  before?: number;
  sort: string;
  order: 'asc' | 'desc';
  limit: number;
  cursor?: string;
}

interface JobPage {
  items: Job[];
  nextCursor: string | null;
  cut: boolean;
}

/** Of the last row of a page: what it is sorted by, when it was made, which it is, and when the list was begun. */
const placeSchema = z.tuple([z.number().nullable(), z.number(), z.uuid(), z.number()]);

/** A page of the jobs the caller may see. @throws AppError bad_request for a cursor that is none */
export async function listJobs(deps: Deps, filter: JobFilter): Promise<JobPage> {
  const { where, values } = await conditions(deps, filter);
  if (!where) return { items: [], nextCursor: null, cut: false };
  const place = filter.cursor === undefined ? undefined : readCursor(filter.cursor);
  const begun = place?.[3] ?? Date.now();
  const add = (value: unknown) => `$${values.push(value)}`;
  const by = filter.sort === 'made' ? undefined : sortKey(filter.sort, begun, add);
  const way = filter.order === 'asc' ? 'ASC' : 'DESC';
  const past = filter.order === 'asc' ? '>' : '<';
  const last = place && {
    key: by && `${add(place[0])}::float8`,
    row: `(${add(new Date(place[1]))}::timestamptz, ${add(place[2])}::uuid)`,
  };
  const limit = add(filter.limit + 1);

  let rows: (JobRow & { key?: number | null; matching?: number })[];
  if (by === undefined) {
    const after = last ? [`(j."createdAt", j.id) ${past} ${last.row}`] : [];
    ({ rows } = await deps.pool.query(
      `${selectJobs()} ${whereText([...where, ...after])} ORDER BY j."createdAt" ${way}, j.id ${way} LIMIT ${limit}`,
      values,
    ));
  } else {
    // Jobs without what is sorted by come last, in either order; among equals the newest is first.
    const after = last
      ? `WHERE (k.key IS NOT DISTINCT FROM ${last.key} AND (k."createdAt", k.id) < ${last.row})
           OR (${last.key} IS NOT NULL AND (k.key ${past} ${last.key} OR k.key IS NULL))`
      : '';
    ({ rows } = await deps.pool.query(
      `WITH matching AS MATERIALIZED (
         SELECT j.id, j."createdAt", j."startedAt", j."finishedAt" FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
           JOIN "User" u ON u.id = p."ownerId" ${whereText(where)} ORDER BY j."createdAt" DESC, j.id DESC LIMIT ${sortedJobs + 1}),
       newest AS (SELECT m.* FROM matching m ORDER BY m."createdAt" DESC, m.id DESC LIMIT ${sortedJobs}),
       keyed AS (SELECT j.id, j."createdAt", ${by} AS key FROM newest j),
       place AS (SELECT * FROM keyed k ${after} ORDER BY k.key ${way} NULLS LAST, k."createdAt" DESC, k.id DESC LIMIT ${limit})
       ${selectJobs('place.key', '(SELECT count(*)::int FROM matching) AS matching')}
       JOIN place ON place.id = j.id ORDER BY place.key ${way} NULLS LAST, j."createdAt" DESC, j.id DESC`,
      values,
    ));
  }
  const page = rows.slice(0, filter.limit);
  const end = rows.length > filter.limit ? page.at(-1) : undefined;
  return {
    items: await viewRows(deps, page, async (queued) => waitingShort(queued)),
    nextCursor: end ? cursorOf([end.key ?? null, end.createdAt.getTime(), end.id, begun]) : null,
    cut: (rows[0]?.matching ?? 0) > sortedJobs,
  };
}

const whereText = (conditions: string[]): string =>
  conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';

/** The number a job is sorted by, in SQL; null where it has none. A job that runs is as long as when the list was begun. */
function sortKey(sort: string, begun: number, add: (value: unknown) => string): string {
  if (sort === 'duration') {
    return `extract(epoch FROM COALESCE(j."finishedAt", ${add(new Date(begun))}::timestamptz) - j."startedAt")::float8`;
  }
  return `(SELECT m.value FROM "Metric" m WHERE m."jobId" = j.id AND m.name = ${add(sort.slice('metric:'.length))}
    ORDER BY m.id DESC LIMIT 1)`;
}

/** @returns no `where` when there is no project whose jobs could be listed */
async function conditions(deps: Deps, filter: JobFilter): Promise<{ where?: string[]; values: unknown[] }> {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    where.push(condition(`$${values.push(value)}`));
  };
  if (!filter.admin || filter.owner || filter.project) {
    // Their ids let the planner choose between the projects' index and the times', however few jobs they have.
    const projects = await visibleProjects(deps, filter);
    if (projects.length === 0) return { values };
    add((p) => `j."projectId" = ANY(${p})`, projects);
  }
  if (filter.status) add((p) => `j.status = ${p}`, filter.status);
  if (filter.before) add((p) => `j.number < ${p}`, filter.before);
  if (filter.tag) add((p) => `j.tags @> ${p}`, [filter.tag]);
  if (filter.text) where.push(await textCondition(deps, filter.text, (value) => `$${values.push(value)}`));
  return { where, values };
}

async function visibleProjects(deps: Deps, filter: JobFilter): Promise<string[]> {
  const { rows } = await deps.pool.query<{ id: string }>(
    `SELECT p.id FROM "Project" p JOIN "User" u ON u.id = p."ownerId"
     WHERE (p."ownerId" = ANY($1) OR p.public OR $2) AND u.name = COALESCE($3, u.name) AND p.name = COALESCE($4, p.name)`,
    [filter.owners, filter.admin, filter.owner ?? null, filter.project ?? null],
  );
  return rows.map((row) => row.id);
}

const cursorOf = (place: z.infer<typeof placeSchema>): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

function readCursor(cursor: string): z.infer<typeof placeSchema> {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw new AppError('bad_request', `"${cursor}" is no cursor of this list`, {
      cause,
      hint: 'Send the nextCursor of the page before, or none.',
    });
  }
}
