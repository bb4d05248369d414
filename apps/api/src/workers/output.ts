import type { AttemptProof } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { checkOutput } from '../jobs/output.js';
import { transaction } from '../jobs/sql.js';
import { lockJob, staleFence } from '../jobs/transitions/lock.js';
import { lockAttempt } from './held.js';

/** Names the newest saved state of /output; a later attempt begins with it. @throws AppError stale_fence, bad_request */
export async function nameOutput(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  snapshotId: string,
): Promise<void> {
  await transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, proof.jobId);
    if (job?.attempt !== proof.attempt) throw staleFence(proof.attempt);
    await lockAttempt(sql, caller, proof);
    await checkOutput(sql, job, snapshotId);
    await sql.query('UPDATE "Job" SET "outputSnapshotId" = $2 WHERE id = $1', [proof.jobId, snapshotId]);
  });
  await deps.hub.publish({ type: 'job', jobId: proof.jobId });
}
