import type { AttemptProof } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { addEvent } from '../jobs/events.js';
import { transaction } from '../jobs/sql.js';
import { lockAttempt } from './held.js';

/** Notes what a worker saw of the attempt it holds. @throws AppError stale_fence */
export async function noteEvent(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  type: string,
  message: string,
): Promise<void> {
  await transaction(deps.pool, async (sql) => {
    await lockAttempt(sql, caller, proof);
    await addEvent(sql, { jobId: proof.jobId, attempt: proof.attempt, type, message });
  });
  await deps.hub.publish({ type: 'job', jobId: proof.jobId });
}
