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
  const x = axis === 'step' ? 'step::float8' : `date_part('epoch', time) * 1000`;
  const { rows } = await deps.pool.query<Row>(
    `WITH points AS MATERIALIZED (
       SELECT id, value, x FROM (
         SELECT id, value, ${x} AS x FROM "Metric" WHERE "jobId" = $1 AND name = $2
           AND attempt = (SELECT attempt FROM "Metric" WHERE "jobId" = $1 AND name = $2 ORDER BY id DESC LIMIT 1)) p
       WHERE x IS NOT NULL AND ($4::float8 IS NULL OR x >= $4) AND ($5::float8 IS NULL OR x <= $5)),
     span AS MATERIALIZED (SELECT min(x) AS low, max(x) AS high, count(*)::int AS points FROM points),
     drawn AS (
       SELECT count(*)::int AS points, min(p.value) AS min, max(p.value) AS max, max(p.id) AS id, max(p.x) AS x
       FROM points p, span s
       GROUP BY CASE WHEN s.points <= $3 THEN p.id
         ELSE LEAST($3 - 1, floor((p.x - s.low) / NULLIF(s.high - s.low, 0) * $3))::bigint END)
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
