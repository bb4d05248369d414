import type { AttemptProof } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { checkOutput } from '../jobs/output.js';
import { one, transaction } from '../jobs/sql.js';
import { staleFence } from '../jobs/transitions/lock.js';
import { lockAttempt } from './held.js';

/** Names the newest saved state of /output; a later attempt begins with it. @throws AppError stale_fence, bad_request */
export async function nameOutput(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  snapshotId: string,
): Promise<void> {
  await transaction(deps.pool, async (sql) => {
    const job = await one<{ ownerId: string }>(
      sql,
      'SELECT "ownerId" FROM "Job" WHERE id = $1 AND attempt = $2 FOR NO KEY UPDATE',
      [proof.jobId, proof.attempt],
    );
    if (!job) throw staleFence(proof.attempt);
    await lockAttempt(sql, caller, proof);
    await checkOutput(sql, job.ownerId, snapshotId);
    await sql.query('UPDATE "Job" SET "outputSnapshotId" = $2 WHERE id = $1', [proof.jobId, snapshotId]);
  });
  await deps.hub.publish({ type: 'job', jobId: proof.jobId });
}
