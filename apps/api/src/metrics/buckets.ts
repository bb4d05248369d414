import type { SeriesPoint } from '@mycloud/shared';
import type { Deps } from '../deps.js';

interface Asked {
  name: string;
  axis: 'step' | 'time';
  buckets: number;
  from?: number;
  to?: number;
}

interface Row {
  step: string | null;
  time: Date;
  value: number | null;
  min: number | null;
  max: number | null;
  points: number;
}

/**
 * The last attempt's points of one series along an axis, in at most `buckets` of equal width, each with its least, greatest and
 * last written value. Where there are no more points than buckets every point is its own. Points without a step have none on that axis.
 */
export async function bucketSeries(
  deps: Deps,
  jobId: string,
  { name, axis, buckets, from, to }: Asked,
): Promise<{ total: number; points: SeriesPoint[] }> {
  const x = axis === 'step' ? 'm.step::float8' : `date_part('epoch', m.time) * 1000`;
  const wanted = `"Metric" m WHERE m."jobId" = $1 AND m.name = $2 AND m.attempt = (SELECT attempt FROM newest)
    AND (${x}) IS NOT NULL AND ($4::float8 IS NULL OR ${x} >= $4) AND ($5::float8 IS NULL OR ${x} <= $5)`;
  // Two passes over the series are quicker than keeping its points between them.
  const { rows } = await deps.pool.query<Row>(
    `WITH newest AS MATERIALIZED (
       SELECT attempt FROM "Metric" WHERE "jobId" = $1 AND name = $2 ORDER BY id DESC LIMIT 1),
     span AS MATERIALIZED (SELECT min(${x}) AS low, max(${x}) AS high, count(*)::int AS points FROM ${wanted}),
     drawn AS (
       SELECT count(*)::int AS points, min(m.value) AS min, max(m.value) AS max, max(m.id) AS id, max(${x}) AS x
       FROM (SELECT low, high, low = high OR points <= $3 AS few FROM span) s, ${wanted}
       GROUP BY CASE WHEN few THEN m.id ELSE LEAST(width_bucket(${x}, low, high, $3::int), $3) END)
     SELECT d.points, d.min, d.max, l.value, l.step, l.time
     FROM drawn d JOIN "Metric" l ON l.id = d.id ORDER BY d.x, d.id`,
    [jobId, name, buckets, from ?? null, to ?? null],
  );
  const points = rows.map(({ step, time, value, min, max, points: count }) => ({
    step: step === null ? null : Number(step),
    time: time.getTime(),
    value,
    ...(count > 1 && { min, max }),
  }));
  return { total: rows.reduce((sum, row) => sum + row.points, 0), points };
}
