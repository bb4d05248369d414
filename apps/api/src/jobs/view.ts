import {
  AppError,
  isEnd,
  type Job,
  type JobStatus,
  jobName,
  type Reason,
  reasonSentence,
} from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { waitingSentence, waitingShort } from './waiting.js';

interface Row {
  id: string;
  owner: string;
  project: string;
  number: number;
  status: JobStatus;
  reason: Reason | null;
  detail: string;
  command: string;
  description: string;
  machine: string;
  environment: string;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  retries: number;
  codeSnapshotId: string | null;
  outputSnapshotId: string | null;
  attempt: number;
  exitCode: number | null;
  worker: string | null;
  priority: number;
  createdAt: Date;
  queuedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** Joins every view of a job needs; what is selected, and which jobs, is appended. */
const select = `SELECT j.*, u.name AS owner, p.name AS project, w.name AS worker
  FROM "Job" j JOIN "Project" p ON p.id = j."projectId" JOIN "User" u ON u.id = p."ownerId"
  LEFT JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt
  LEFT JOIN "Worker" w ON w.id = a."workerId"`;

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

/** One job as clients see it. @throws AppError not_found when it was deleted meanwhile */
export async function viewJob(deps: Deps, id: string): Promise<Job> {
  const { rows } = await deps.pool.query<Row>(`${select} WHERE j.id = $1`, [id]);
  const [row] = rows;
  if (!row) throw new AppError('not_found', 'this job was deleted');
  const [view] = await viewRows(deps, [row], (queued) => waitingSentence(deps, queued));
  return view as Job;
}

/** A job with who may see it. */
export interface SeenJob {
  job: Job;
  ownerId: string;
  public: boolean;
}

/** Many jobs as lists show them, in one read; those deleted meanwhile are left out. */
export async function viewJobs(deps: Deps, ids: string[]): Promise<SeenJob[]> {
  const { rows } = await deps.pool.query<Row & { projectOwner: string; public: boolean }>(
    `${select.replace('SELECT j.*', 'SELECT j.*, p."ownerId" AS "projectOwner", p.public')} WHERE j.id = ANY($1)`,
    [ids],
  );
  const views = await viewRows(deps, rows, async (queued) => waitingShort(queued));
  return rows.map((row, i) => ({ job: views[i] as Job, ownerId: row.projectOwner, public: row.public }));
}

export interface JobFilter {
  callerId: string;
  admin: boolean;
  owner?: string;
  project?: string;
  status?: JobStatus;
  text?: string;
  limit: number;
  cursor?: string;
}

/** A page of the jobs the caller may see, newest first. @throws AppError bad_request for a cursor that is none */
export async function listJobs(
  deps: Deps,
  filter: JobFilter,
): Promise<{ items: Job[]; nextCursor: string | null }> {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  if (!filter.admin || filter.owner || filter.project) {
    // Their ids let the planner choose between the projects' index and the times', however few jobs they have.
    const projects = await visibleProjects(deps, filter);
    if (projects.length === 0) return { items: [], nextCursor: null };
    add((p) => `j."projectId" = ANY(${p})`, projects);
  }
  if (filter.status) add((p) => `j.status = ${p}`, filter.status);
  if (filter.text) {
    const like = `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`;
    const name = `u.name || '/projects/' || p.name || '/' || j.number`;
    add((p) => `(j.command ILIKE ${p} OR j.description ILIKE ${p} OR ${name} ILIKE ${p})`, like);
  }
  if (filter.cursor) {
    const [time, id] = readCursor(filter.cursor);
    values.push(time, id);
    where.push(`(j."createdAt", j.id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`);
  }
  values.push(filter.limit + 1);
  const { rows } = await deps.pool.query<Row>(
    `${select} ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
     ORDER BY j."createdAt" DESC, j.id DESC LIMIT $${values.length}`,
    values,
  );
  const page = rows.slice(0, filter.limit);
  const last = rows.length > filter.limit ? page.at(-1) : undefined;
  const items = await viewRows(deps, page, async (queued) => waitingShort(queued));
  return { items, nextCursor: last ? `${last.createdAt.getTime()}.${last.id}` : null };
}

async function visibleProjects(deps: Deps, filter: JobFilter): Promise<string[]> {
  const { rows } = await deps.pool.query<{ id: string }>(
    `SELECT p.id FROM "Project" p JOIN "User" u ON u.id = p."ownerId"
     WHERE (p."ownerId" = $1 OR p.public OR $2) AND u.name = COALESCE($3, u.name) AND p.name = COALESCE($4, p.name)`,
    [filter.callerId, filter.admin, filter.owner ?? null, filter.project ?? null],
  );
  return rows.map((row) => row.id);
}

function readCursor(cursor: string): [Date, string] {
  const match = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(cursor);
  if (!match?.[1] || !match[2]) {
    throw new AppError('bad_request', `"${cursor}" is no cursor of this list`, {
      hint: 'Send the nextCursor of the page before.',
    });
  }
  return [new Date(Number(match[1])), match[2]];
}

async function viewRows(deps: Deps, rows: Row[], waits: (row: Row) => Promise<string>): Promise<Job[]> {
  const ids = rows.map((row) => row.id);
  const [mounts, metrics] = await Promise.all([mountsOf(deps, ids), lastMetrics(deps, ids)]);
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      name: jobName(row),
      owner: row.owner,
      project: row.project,
      number: row.number,
      status: row.status,
      reason: row.reason,
      message: await messageOf(row, waits),
      command: row.command,
      description: row.description,
      machine: row.machine,
      environment: row.environment,
      tensorboard: row.tensorboard,
      maxRuntimeSeconds: row.maxRuntimeSeconds,
      retries: row.retries,
      mounts: mounts.get(row.id) ?? [],
      codeSnapshotId: row.codeSnapshotId,
      outputSnapshotId: row.outputSnapshotId,
      attempt: row.attempt,
      exitCode: row.exitCode,
      worker: row.worker,
      createdAt: row.createdAt.toISOString(),
      startedAt: iso(row.startedAt),
      finishedAt: iso(row.finishedAt),
      metrics: metrics.get(row.id) ?? {},
    })),
  );
}

async function messageOf(row: Row, waits: (row: Row) => Promise<string>): Promise<string | null> {
  if (row.status === 'queued') return waits(row);
  return isEnd(row.status) && row.reason ? reasonSentence(row.reason, row.detail) : null;
}

async function mountsOf(deps: Deps, ids: string[]): Promise<Map<string, Job['mounts']>> {
  const { rows } = await deps.pool.query<Job['mounts'][number] & { jobId: string }>(
    'SELECT "jobId", name, source, "snapshotId" FROM "Mount" WHERE "jobId" = ANY($1) ORDER BY name',
    [ids],
  );
  const byJob = new Map<string, Job['mounts']>();
  for (const { jobId, ...mount } of rows) {
    const mounts = byJob.get(jobId);
    if (mounts) mounts.push(mount);
    else byJob.set(jobId, [mount]);
  }
  return byJob;
}

/** Steps from name to name along the index (jobId, name, id): its cost is the number of series, not of points. */
async function lastMetrics(deps: Deps, ids: string[]): Promise<Map<string, Record<string, number>>> {
  const { rows } = await deps.pool.query<{ jobId: string; values: Record<string, number> }>(
    `SELECT j.id AS "jobId", jsonb_object_agg(m.name, m.value) AS values
     FROM unnest($1::uuid[]) j(id) CROSS JOIN LATERAL (
       WITH RECURSIVE names AS (
         (SELECT name FROM "Metric" WHERE "jobId" = j.id ORDER BY name LIMIT 1)
         UNION ALL
         SELECT (SELECT name FROM "Metric" WHERE "jobId" = j.id AND name > n.name ORDER BY name LIMIT 1)
         FROM names n WHERE n.name IS NOT NULL)
       SELECT n.name, l.value FROM names n CROSS JOIN LATERAL (
         SELECT value FROM "Metric" WHERE "jobId" = j.id AND name = n.name ORDER BY id DESC LIMIT 1) l
       WHERE n.name NOT LIKE 'system/%' AND l.value IS NOT NULL) m
     GROUP BY j.id`,
    [ids],
  );
  return new Map(rows.map((row) => [row.jobId, row.values]));
}
