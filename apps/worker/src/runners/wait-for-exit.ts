import { watch } from 'node:fs';
import type { JobProcess, Runner, RunnerName } from './runner.js';
import { readExitCode } from './supervisor.js';

/** For file systems that don't tell, and for supervisors that die without a word. */
const pollMs = 200;
/** Asking an engine, or a file system of other machines, costs it something. */
const farPollMs = 1000;
const far: ReadonlySet<RunnerName> = new Set(['docker', 'slurm']);

/**
 * Waits for a job's end, whoever started it. @returns its exit code, 128 + n for a signal; null when the supervisor
 * was killed too. @throws the signal's reason when that comes first
 */
export function waitForExit(
  runner: Runner,
  job: JobProcess,
  runDir: string,
  signal: AbortSignal,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let looking = false;
    let again = false;
    const watcher = watch(runDir, (_, name) => {
      if (name === 'exit') look();
    });
    const timer = setInterval(() => look(), far.has(runner.name) ? farPollMs : pollMs);
    const close = (): void => {
      watcher.close();
      clearInterval(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      close();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    function look(): void {
      if (looking) {
        again = true;
        return;
      }
      looking = true;
      lookOnce()
        .then((ended) => {
          looking = false;
          if (ended) {
            close();
            resolve(ended.code);
          } else if (again) {
            again = false;
            look();
          }
        })
        .catch(fail);
    }
    /** Alive is asked first: the code is written before the supervisor goes. */
    async function lookOnce(): Promise<{ code: number | null } | null> {
      const alive = await runner.isAlive(job);
      if (!alive) return { code: await runner.exitCode(job, runDir) };
      const code = await readExitCode(runDir);
      return code === null ? null : { code };
    }
    watcher.on('error', fail);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    look();
  });
}
