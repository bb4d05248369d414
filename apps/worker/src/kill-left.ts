import type { JobProcess, Runner } from './runners/runner.js';
import { waitForExit } from './runners/wait-for-exit.js';
import type { Stopper } from './stopper.js';

/**
 * Ends a job at once before its folder goes: nothing of it may run on in there.
 * @param onFailure told when something of it still runs after ten seconds of SIGKILL
 */
export async function killLeft(
  runner: Runner,
  job: JobProcess,
  runDir: string,
  stopper: Stopper,
  onFailure: (error: unknown) => void,
): Promise<void> {
  stopper.kill();
  await waitForExit(runner, job, runDir, AbortSignal.timeout(10_000))
    .then(() => stopper.ended())
    .then(() => runner.clear(job))
    .catch(onFailure);
  stopper.leave();
}
