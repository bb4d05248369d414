import type { AttemptProof } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';
import type { WorkerDeps } from './deps.js';
import { tellFailure } from './failure.js';
import { killLeft } from './kill-left.js';
import { isStale } from './retry.js';
import type { Runner } from './runners/runner.js';
import type { Stopper } from './stopper.js';

/** The lease is over: nothing more may be written for this attempt. */
export class Lost extends Error {}
/** The worker goes; the job stays and is adopted by the next one. */
export class Left extends Error {}
/** Something here broke, such as the disk: the api is told, and another attempt may do better. */
export class Broken extends Error {}

export interface EarlyEnd {
  deps: WorkerDeps;
  proof: AttemptProof;
  folder: AttemptFolder;
  runner: Runner | null;
  /** Of its process; null: none was started. */
  stopper: Stopper | null;
}

/** Ends what this worker has of an attempt that doesn't go through all its stages here: by why, or by what broke. Never fails. */
export async function endEarly(
  { deps, proof, folder, runner, stopper }: EarlyEnd,
  why: unknown,
): Promise<void> {
  if (why instanceof Left) {
    stopper?.leave();
    try {
      folder.update({ left: true });
    } catch (cause) {
      // On a full disk: it counts as one crash, which is no harm.
      deps.log.warn({ err: cause, ...proof }, 'that it was left in order could not be noted');
    }
    return;
  }
  const { process: job } = folder.state;
  if (job && runner && stopper) {
    await killLeft(runner, job, folder.runDir, stopper, (error) =>
      deps.log.warn({ err: error, ...proof }, 'the job did not end by SIGKILL'),
    );
  }
  if (!(why instanceof Lost) && !isStale(why)) {
    await tellFailure(deps, folder.state, why instanceof Broken ? why.cause : why);
  }
  await folder.remove();
}
