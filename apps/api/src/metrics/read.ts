import type { MetricPoint } from '@mycloud/shared';
import type { Deps } from '../deps.js';

export interface SeriesInfo {
  name: string;
  last: number | null;
  lastStep: number | null;
  updatedAt: string;
  min?: number | null;
  max?: number | null;
}

/**
 * The series of a job with the last point of each. Steps from name to name along the index (jobId, name, id): its cost is the number
 * of series, not of points, unless the extremes of the last attempt are asked for.
 */
export async function listSeries(deps: Deps, jobId: string, extremes: boolean): Promise<SeriesInfo[]> {
  const { rows } = await deps.pool.query<{
    name: string;
    last: number | null;
    lastStep: string | null;
    updatedAt: Date;
    min?: number | null;
    max?: number | null;
  }>(
    `WITH RECURSIVE names AS (
       (SELECT name FROM "Metric" WHERE "jobId" = $1 ORDER BY name LIMIT 1)
       UNION ALL
       SELECT (SELECT name FROM "Metric" WHERE "jobId" = $1 AND name > n.name ORDER BY name LIMIT 1)
       FROM names n WHERE n.name IS NOT NULL)
     SELECT n.name, l.value AS last, l.step AS "lastStep", l.time AS "updatedAt"${extremes ? ', e.min, e.max' : ''}
     FROM names n CROSS JOIN LATERAL (
       SELECT value, step, time, attempt FROM "Metric" WHERE "jobId" = $1 AND name = n.name ORDER BY id DESC LIMIT 1) l
     ${
       extremes
         ? `CROSS JOIN LATERAL (SELECT min(value) AS min, max(value) AS max FROM "Metric"
              WHERE "jobId" = $1 AND name = n.name AND attempt = l.attempt) e`
         : ''
     }
     ORDER BY n.name`,
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
