import path from 'node:path';
import { hint } from '../output.js';
import type { HomeLock, LockedProgram } from './lock.js';
import { LogFile } from './log-file.js';
import { identify } from './process-identity.js';
import { type Program, type Supervised, supervise } from './supervise.js';

/** What `up` runs, in the order it was started; written down in the home's lock whenever it changes. */
export class RunningPrograms {
  private readonly all: Supervised[] = [];
  private notes: Promise<void> = Promise.resolve();

  constructor(
    private readonly home: string,
    private readonly url: string,
    private readonly lock: HomeLock,
  ) {}

  /** Starts a program and waits until it serves. @returns what it said then @throws AppError when it ends before that, or the signal's reason */
  async start(program: Program, signal: AbortSignal): Promise<Record<string, unknown>> {
    signal.throwIfAborted();
    const log = new LogFile(path.join(this.home, 'logs', `${program.name}.log`));
    const supervised = supervise(program, { log, tell: hint, onStart: () => this.note() });
    this.all.push(supervised);
    return orAborted(supervised.ready, signal);
  }

  /** Waits for the signal. @throws AppError when a program has ended for good before */
  async untilAborted(signal: AbortSignal): Promise<void> {
    const all = this.all.map(({ ended }) => ended);
    await orAborted(Promise.race(all), signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Ends them in the reverse order of their start. */
  async stop(): Promise<void> {
    for (const program of this.all.reverse()) await program.stop();
    await this.notes;
  }

  /** One write at a time, in order; what a failed one leaves out the next start ends by asking the system. */
  private note(): void {
    this.notes = this.notes
      .then(() => this.write())
      .catch((error: Error) => hint(`what runs here could not be written down: ${error.message}`));
  }

  private async write(): Promise<void> {
    const programs: LockedProgram[] = [];
    for (const { name, pid, signal } of this.all) {
      const identity = pid === undefined ? undefined : identify(pid);
      if (identity) programs.push({ ...identity, name, signal });
    }
    await this.lock.note({ url: this.url, programs });
  }
}

/** What the promise answers, or the signal's reason when that comes first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
