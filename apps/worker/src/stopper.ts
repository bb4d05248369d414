import type { JobProcess, Runner } from './runners/runner.js';

const againMs = 25;

/**
 * Ends a job: SIGTERM to all its processes, SIGKILL to what is left after the grace. Goes on until it is told that
 * the job has ended, since a process may fork while it is being signalled.
 */
export class Stopper {
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  #started = false;

  constructor(
    readonly runner: Runner,
    readonly job: JobProcess,
    readonly runDir: string,
  ) {}

  /** @param graceSeconds between SIGTERM and SIGKILL */
  stop(graceSeconds: number): void {
    if (this.#started || this.#ended) return;
    this.#started = true;
    this.#terminate(Date.now() + graceSeconds * 1000);
  }

  /** SIGKILL at once. */
  kill(): void {
    if (this.#ended) return;
    this.#started = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.runner.signal(this.job, this.runDir, 'SIGKILL');
    this.#timer = setTimeout(() => this.kill(), againMs * 4);
  }

  /** The command has ended: what it left running goes too. */
  ended(): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.runner.signal(this.job, this.runDir, 'SIGKILL');
  }

  /** Leaves the job to a later worker. */
  leave(): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #terminate(killAt: number): void {
    const reached = this.runner.signal(this.job, this.runDir, 'SIGTERM');
    // A job stopped in the millisecond of its start has no processes yet.
    if (reached === 0) this.#timer = setTimeout(() => this.#terminate(killAt), againMs);
    else this.#timer = setTimeout(() => this.kill(), Math.max(0, killAt - Date.now()));
  }
}
