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
 * last value. Where there are no more points than buckets every point is its own. Points without a step have none on that axis.
 */
export async function bucketSeries(
  deps: Deps,
  jobId: string,
  { name, axis, buckets, from, to }: Asked,
): Promise<{ total: number; points: SeriesPoint[] }> {
  const x = axis === 'step' ? 'step::float8' : 'extract(epoch FROM time)::float8 * 1000';
  const { rows } = await deps.pool.query<Row>(
    `WITH points AS MATERIALIZED (
       SELECT id, step, time, value, x FROM (
         SELECT id, step, time, value, ${x} AS x FROM "Metric" WHERE "jobId" = $1 AND name = $2
           AND attempt = (SELECT attempt FROM "Metric" WHERE "jobId" = $1 AND name = $2 ORDER BY id DESC LIMIT 1)) p
       WHERE x IS NOT NULL AND ($4::float8 IS NULL OR x >= $4) AND ($5::float8 IS NULL OR x <= $5)),
     span AS MATERIALIZED (SELECT min(x) AS low, max(x) AS high, count(*)::int AS points FROM points),
     placed AS (
       SELECT p.*, CASE WHEN s.points <= $3 THEN p.id
         ELSE LEAST($3 - 1, floor((p.x - s.low) / NULLIF(s.high - s.low, 0) * $3))::bigint END AS bucket
       FROM points p, span s)
     SELECT count(*)::int AS points, min(value) AS min, max(value) AS max,
       (array_agg(value ORDER BY x DESC, id DESC))[1] AS value,
       (array_agg(step ORDER BY x DESC, id DESC))[1] AS step, max(time) AS time
     FROM placed GROUP BY bucket ORDER BY max(x), max(id)`,
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
