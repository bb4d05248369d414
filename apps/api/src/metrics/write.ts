import type { AttemptProof, MetricPoint } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { prepared, transaction } from '../jobs/sql.js';
import { storable } from '../jobs/text.js';
import { lockAttempt } from '../workers/held.js';

/** Stores a batch of points, once however often it is sent. @throws AppError stale_fence */
export async function appendMetrics(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  batchId: string,
  points: MetricPoint[],
): Promise<void> {
  await transaction(deps.pool, async (sql) => {
    await lockAttempt(sql, caller, proof);
    await sql.query(
      prepared(
        `WITH batch AS (
         INSERT INTO "MetricBatch" (id, "jobId") VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id)
       INSERT INTO "Metric" ("jobId", attempt, name, step, value, time)
       SELECT $2, $3, p.name, p.step, p.value, to_timestamp(p.time / 1000.0)
       FROM batch, unnest($4::text[], $5::bigint[], $6::float8[], $7::bigint[])
         WITH ORDINALITY AS p(name, step, value, time, place) ORDER BY p.place`,
        [
          batchId,
          proof.jobId,
          proof.attempt,
          points.map((point) => storable(point.name)),
          points.map((point) => point.step),
          points.map((point) => point.value),
          points.map((point) => point.time),
        ],
      ),
    );
  });
  await deps.hub.publish({ type: 'metrics', jobId: proof.jobId });
}
