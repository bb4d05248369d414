import { type Assignment, workerRoutes } from '@mycloud/shared';
import type { AttemptState } from './attempt-folder.js';
import type { WorkerDeps } from './deps.js';
import { endOfFailure } from './ending.js';
import { isStale, untilAnswered } from './retry.js';

/**
 * Ends an attempt that this worker can't go on with, without its folder, which may be what broke: the api tries it again
 * at once instead of waiting for the end of the lease. Never fails; after the lease it is told anyway.
 */
export async function tellFailure(
  { client, log }: Pick<WorkerDeps, 'client' | 'log'>,
  { assignment, output }: { assignment: Assignment; output?: AttemptState['output'] },
  error: unknown,
): Promise<void> {
  const { jobId, attempt, fence, leaseSeconds, name } = assignment;
  log.error({ err: error, job: name, attempt }, 'the attempt was given up');
  const body = {
    attempt,
    fence,
    ...endOfFailure(error),
    outputSnapshotId: output?.snapshotId ?? null,
    // Its last lines may be lost with the folder: those that are stored are what it has.
    lastSeq: 0,
  };
  const signal = AbortSignal.timeout(leaseSeconds * 1000);
  try {
    await untilAnswered(
      () => client.call(workerRoutes.finish, { params: { jobId }, body }, { signal }),
      signal,
    );
  } catch (cause) {
    if (!isStale(cause)) log.warn({ err: cause, job: name, attempt }, 'its end could not be told');
  }
}
