import {
  AppError,
  isEnd,
  type Job,
  type JobMode,
  type JobStatus,
  jobName,
  type Reason,
  reasonSentence,
} from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { jobRevision } from './edit.js';
import { prepared } from './sql.js';
import { waitingSentence, waitingShort } from './waiting.js';

export interface JobRow {
  id: string;
  owner: string;
  project: string;
  number: number;
  status: JobStatus;
  reason: Reason | null;
  detail: string;
  mode: JobMode;
  command: string;
  description: string;
  tags: string[];
  note: string;
  machine: string;
  environment: string;
  env: Record<string, string>;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  retries: number;
  idleSeconds: number | null;
  codeSnapshotId: string | null;
  outputSnapshotId: string | null;
  attempt: number;
  exitCode: number | null;
  worker: string | null;
  schedule: string | null;
  priority: number;
  createdAt: Date;
  queuedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** By name: a prepared statement with j.* would fail once a migration adds a column. All of them: the compiler counts. */
const columns: Record<Exclude<keyof JobRow, 'owner' | 'project' | 'worker' | 'schedule'>, true> = {
  id: true,
  number: true,
  status: true,
  reason: true,
  detail: true,
  command: true,
  mode: true,
  description: true,
  tags: true,
  note: true,
  machine: true,
  environment: true,
  env: true,
  tensorboard: true,
  maxRuntimeSeconds: true,
  retries: true,
  idleSeconds: true,
  codeSnapshotId: true,
  outputSnapshotId: true,
  attempt: true,
  exitCode: true,
  priority: true,
  createdAt: true,
  queuedAt: true,
  startedAt: true,
  finishedAt: true,
};

/** What every view of a job needs, and more that is to be selected; joins and conditions are appended. */
export const selectJobs = (...more: string[]): string => {
  const own = Object.keys(columns).map((name) => `j."${name}"`);
  const selected = [
    ...own,
    'u.name AS owner',
    'p.name AS project',
    'w.name AS worker',
    's.name AS schedule',
    ...more,
  ].join(', ');
  return `SELECT ${selected}
  FROM "Job" j JOIN "Project" p ON p.id = j."projectId" JOIN "User" u ON u.id = p."ownerId"
  LEFT JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt
  LEFT JOIN "Worker" w ON w.id = a."workerId"
  LEFT JOIN "Schedule" s ON s.id = j."scheduleId"`;
};

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

/** One job as clients see it. @throws AppError not_found when it was deleted meanwhile */
export async function viewJob(deps: Deps, id: string): Promise<Job> {
  const { rows } = await deps.pool.query<JobRow>(prepared(`${selectJobs()} WHERE j.id = $1`, [id]));
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
  const { rows } = await deps.pool.query<JobRow & { projectOwner: string; public: boolean }>(
    prepared(`${selectJobs('p."ownerId" AS "projectOwner"', 'p.public')} WHERE j.id = ANY($1)`, [ids]),
  );
  const views = await viewRows(deps, rows, async (queued) => waitingShort(queued));
  return rows.map((row, i) => ({ job: views[i] as Job, ownerId: row.projectOwner, public: row.public }));
}

/** Rows as clients see them, in their order. */
export async function viewRows(
  deps: Deps,
  rows: JobRow[],
  waits: (row: JobRow) => Promise<string>,
): Promise<Job[]> {
  const ids = rows.map((row) => row.id);
  const begun = rows.filter((row) => row.attempt > 0).map((row) => row.id);
  const preparing = rows.filter((row) => row.status === 'preparing').map((row) => row.id);
  const [mounts, metrics, waiting] = await Promise.all([
    mountsOf(deps, ids),
    lastMetrics(deps, begun),
    waitingWords(deps, preparing),
  ]);
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      name: jobName(row),
      owner: row.owner,
      project: row.project,
      number: row.number,
      status: row.status,
      reason: row.reason,
      message: waiting.get(row.id) ?? (await messageOf(row, waits)),
      mode: row.mode,
      command: row.command,
      description: row.description,
      tags: row.tags,
      note: row.note,
      machine: row.machine,
      environment: row.environment,
      envNames: Object.keys(row.env).sort(),
      tensorboard: row.tensorboard,
      maxRuntimeSeconds: row.maxRuntimeSeconds,
      retries: row.retries,
      idleSeconds: row.idleSeconds,
      mounts: mounts.get(row.id) ?? [],
      codeSnapshotId: row.codeSnapshotId,
      outputSnapshotId: row.outputSnapshotId,
      attempt: row.attempt,
      exitCode: row.exitCode,
      worker: row.worker,
      schedule: row.schedule,
      createdAt: row.createdAt.toISOString(),
      startedAt: iso(row.startedAt),
      finishedAt: iso(row.finishedAt),
      metrics: metrics.get(row.id) ?? {},
      revision: jobRevision(row),
    })),
  );
}

async function messageOf(row: JobRow, waits: (row: JobRow) => Promise<string>): Promise<string | null> {
  if (row.status === 'queued') return waits(row);
  return isEnd(row.status) && row.reason ? reasonSentence(row.reason, row.detail) : null;
}

/** What workers said last of jobs they have, and that wait somewhere else, such as in Slurm's queue. */
async function waitingWords(deps: Deps, preparing: string[]): Promise<Map<string, string>> {
  if (preparing.length === 0) return new Map();
  const { rows } = await deps.pool.query<{ jobId: string; message: string }>(
    prepared(
      `SELECT j.id AS "jobId", e.message FROM "Job" j CROSS JOIN LATERAL (
         SELECT message FROM "Event" WHERE "jobId" = j.id AND type = 'waiting' AND attempt = j.attempt
         ORDER BY id DESC LIMIT 1) e
       WHERE j.id = ANY($1)`,
      [preparing],
    ),
  );
  return new Map(rows.map(({ jobId, message }) => [jobId, message]));
}

async function mountsOf(deps: Deps, ids: string[]): Promise<Map<string, Job['mounts']>> {
  const { rows } = await deps.pool.query<Job['mounts'][number] & { jobId: string }>(
    prepared(
      'SELECT "jobId", name, source, "snapshotId" FROM "Mount" WHERE "jobId" = ANY($1) ORDER BY name',
      [ids],
    ),
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
  if (ids.length === 0) return new Map();
  const { rows } = await deps.pool.query<{ jobId: string; values: Record<string, number> }>(
    prepared(
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
    ),
  );
  return new Map(rows.map((row) => [row.jobId, row.values]));
}
