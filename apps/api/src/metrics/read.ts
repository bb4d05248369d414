import type { MetricPoint } from '@mycloud/shared';
import type { Deps } from '../deps.js';

export interface SeriesInfo {
  name: string;
  points: number;
  last: number | null;
  lastStep: number | null;
  updatedAt: string;
}

/** The series of a job, each as the last attempt that has it gave it. */
export async function listSeries(deps: Deps, jobId: string): Promise<SeriesInfo[]> {
  const { rows } = await deps.pool.query<{
    name: string;
    points: number;
    last: number | null;
    lastStep: string | null;
    updatedAt: Date;
  }>(
    `SELECT s.name, s.points, l.value AS last, l.step AS "lastStep", l.time AS "updatedAt" FROM (
       SELECT DISTINCT ON (name) name, attempt, count(*)::int AS points, max(id) AS id
       FROM "Metric" WHERE "jobId" = $1 GROUP BY name, attempt ORDER BY name, attempt DESC) s
     JOIN "Metric" l ON l.id = s.id ORDER BY s.name`,
    [jobId],
  );
  return rows.map((row) => ({
    ...row,
    lastStep: row.lastStep === null ? null : Number(row.lastStep),
    updatedAt: row.updatedAt.toISOString(),
  }));
}

/** The last `limit` points of one series, of the last attempt that has it, in order of time. */
export async function readSeries(
  deps: Deps,
  jobId: string,
  name: string,
  limit: number,
): Promise<MetricPoint[]> {
  const { rows } = await deps.pool.query<{ step: string | null; value: number | null; time: Date }>(
    `SELECT step, value, time FROM (
       SELECT id, step, value, time FROM "Metric" WHERE "jobId" = $1 AND name = $2
         AND attempt = (SELECT attempt FROM "Metric" WHERE "jobId" = $1 AND name = $2 ORDER BY id DESC LIMIT 1)
       ORDER BY id DESC LIMIT $3) newest
     ORDER BY time, id`,
    [jobId, name, limit],
  );
  return rows.map((row) => ({
    name,
    step: row.step === null ? null : Number(row.step),
    value: row.value,
    time: row.time.getTime(),
  }));
}
