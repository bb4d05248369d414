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
  #onFailure: (error: unknown) => void;

  constructor(
    readonly runner: Runner,
    readonly job: JobProcess,
    readonly runDir: string,
    onFailure: (error: unknown) => void,
  ) {
    this.#onFailure = onFailure;
  }

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
    void this.#signal('SIGKILL').then(() => {
      if (!this.#ended) this.#timer = setTimeout(() => this.kill(), againMs * 4);
    });
  }

  /** The command has ended: what it left running goes too. */
  async ended(): Promise<void> {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#signal('SIGKILL');
  }

  /** Leaves the job to a later worker. */
  leave(): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #terminate(killAt: number): void {
    void this.#signal('SIGTERM').then((reached) => {
      if (this.#ended) return;
      // A job stopped in the millisecond of its start has no processes yet.
      if (reached === 0) this.#timer = setTimeout(() => this.#terminate(killAt), againMs);
      else this.#timer = setTimeout(() => this.kill(), Math.max(0, killAt - Date.now()));
    });
  }

  /** An engine that doesn't answer reached nobody: it is asked again. */
  #signal(signal: NodeJS.Signals): Promise<number> {
    return this.runner.signal(this.job, this.runDir, signal).catch((error: unknown) => {
      this.#onFailure(error);
      return 0;
    });
  }
}
