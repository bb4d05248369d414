import { AppError, type AttemptProof } from '@mycloud/shared';
import type { WorkerPrincipal } from '../http/principal.js';
import { one, type Sql } from '../jobs/sql.js';
import { staleFence } from '../jobs/transitions/lock.js';

export interface WorkerRow {
  id: string;
  name: string;
  machines: string[];
  gpus: number;
  images: boolean;
}

/**
 * The worker a token speaks for.
 * @throws AppError not_found when it isn't registered with this token, forbidden when an admin took it away
 */
export async function findWorker(sql: Sql, caller: WorkerPrincipal, workerId: string): Promise<WorkerRow> {
  const worker = await one<WorkerRow & { removedBy: string | null }>(
    sql,
    // Written once a second at most: a busy worker calls a hundred times as often.
    `WITH seen AS (
       UPDATE "Worker" w SET "lastSeenAt" = now()
       WHERE id = $1 AND mycloud_speaks_for($2, w) AND "lastSeenAt" < now() - interval '1 second' AND "removedAt" IS NULL)
     SELECT id, name, machines, gpus, images, "removedBy" FROM "Worker" w WHERE id = $1 AND mycloud_speaks_for($2, w)`,
    [workerId, caller.tokenId],
  );
  if (worker?.removedBy) {
    throw new AppError('forbidden', `worker ${worker.name} was removed by ${worker.removedBy}`, {
      hint: 'It comes back when it is started again with a token that is still good.',
    });
  }
  if (worker) return worker;
  throw new AppError('not_found', `there is no worker ${workerId} of this token`, {
    hint: 'Register it again.',
  });
}

/**
 * Locks an attempt whose lease the worker holds, so that it can't end before the transaction does.
 * @throws AppError stale_fence
 */
export async function lockAttempt(
  sql: Sql,
  caller: WorkerPrincipal,
  proof: AttemptProof,
): Promise<{ lastSeq: number }> {
  const held = await one<{ lastSeq: number }>(
    sql,
    `SELECT a."lastSeq" FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
     WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND mycloud_speaks_for($4, w)
     FOR NO KEY UPDATE OF a`,
    [proof.jobId, proof.attempt, proof.fence, caller.tokenId],
  );
  if (!held) throw staleFence(proof.attempt);
  return held;
}
