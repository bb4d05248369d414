import type { AttemptFolder } from './attempt-folder.js';
import type { Runner, Turn } from './runners/runner.js';

/** A queue may give another reason with each look: after the first ones it is told seldom. */
const firstRestMs = 1000;
const longestRestMs = 120_000;

export interface WaitingForTurn {
  runner: Runner;
  folder: AttemptFolder;
  adopted: boolean;
  /** Told when a job waits, and when for something else. */
  say(why: string): void;
  stop: AbortSignal;
  signal: AbortSignal;
}

/** Waits until what runs a job has begun it, noting what is learnt of it on the way. */
export async function waitForTurn(waiting: WaitingForTurn): Promise<Turn> {
  const { runner, folder, adopted, say, stop, signal } = waiting;
  const { process: job } = folder.state;
  if (!job || !runner.awaitTurn) throw new Error('a waiting attempt has no process, or no queue');
  let told = '';
  let notBefore = 0;
  let restMs = firstRestMs;
  return runner.awaitTurn({
    job,
    runDir: folder.runDir,
    adopted,
    note: (known) => folder.update({ process: known }),
    say: (why) => {
      if (why === null || why === told || Date.now() < notBefore) return;
      told = why;
      notBefore = Date.now() + restMs;
      restMs = Math.min(longestRestMs, restMs * 2);
      say(why);
    },
    stop,
    signal,
  });
}
