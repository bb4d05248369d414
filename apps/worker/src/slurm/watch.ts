import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { SlurmCommands } from './commands.js';
import type { SlurmJob } from './queue.js';
import { standingOf } from './queue.js';

/** Slurm has to say twice that it doesn't know a job. */
const looksUntilUnknown = 2;
/** A job that nobody has asked for during this time is followed no more. */
const unaskedMs = 60_000;

/** What the last looks told of a job. */
interface Sight {
  job: SlurmJob | null;
  /** Looks since it was last seen, or since it is followed. */
  missed: number;
  /** When it was first seen over, milliseconds since 1970. */
  overSince: number | null;
  /** When the look began that told this. */
  lookedAt: number;
  askedAt: number;
}

/**
 * Looks at this user's jobs in Slurm, all in one question, as long as any of them is followed. An answer that doesn't come
 * changes nothing: a controller that is away says nothing about jobs.
 */
export class SlurmWatch {
  #commands: SlurmCommands;
  #everyMs: number;
  #log: Logger;
  #sights = new Map<string, Sight>();
  /** With the time from which on they are cancelled. */
  #doomed = new Map<string, number>();
  #looking: Promise<void> | null = null;
  #loop: Promise<void> | null = null;
  /** Since when it has not answered, milliseconds since 1970. */
  awaySince: number | null = null;

  constructor(commands: SlurmCommands, everySeconds: number, log: Logger) {
    this.#commands = commands;
    this.#everyMs = everySeconds * 1000;
    this.#log = log;
  }

  /** The job as it was seen last, `unknown` to Slurm, or null: not looked at yet. */
  of(id: string): SlurmJob | 'unknown' | null {
    const sight = this.#follow(id);
    return sight.missed >= looksUntilUnknown ? 'unknown' : sight.job;
  }

  /** How long ago it was first seen over, or found unknown; null: it isn't. */
  overForMs(id: string): number | null {
    const since = this.#follow(id).overSince;
    return since === null ? null : Date.now() - since;
  }

  /** Whether it waits in the queue, by a look that began after a time, milliseconds since 1970. */
  waitsSince(id: string, time: number): boolean {
    const { job, lookedAt } = this.#follow(id);
    return job !== null && lookedAt > time && standingOf(job.state) === 'waiting';
  }

  /** Cancels a job, time and again, until it is over. @param afterMs it is given this long to end by itself */
  doom(id: string, afterMs = 0): void {
    this.#follow(id);
    if (!this.#doomed.has(id)) this.#doomed.set(id, Date.now() + afterMs);
    if (afterMs === 0) void this.look();
  }

  /** Looks now. Never fails. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  #follow(id: string): Sight {
    const known = this.#sights.get(id);
    if (known) known.askedAt = Date.now();
    if (known) return known;
    const fresh: Sight = { job: null, missed: 0, overSince: null, lookedAt: 0, askedAt: Date.now() };
    this.#sights.set(id, fresh);
    this.#loop ??= this.#run().finally(() => {
      this.#loop = null;
    });
    return fresh;
  }

  async #run(): Promise<void> {
    while (this.#sights.size > 0) {
      await this.look();
      for (const [id, { askedAt }] of this.#sights)
        if (askedAt < Date.now() - unaskedMs) this.#sights.delete(id);
      await sleep(this.#everyMs, undefined, { ref: false });
    }
  }

  async #look(): Promise<void> {
    // What is followed from now on may have been submitted after the answer was made.
    const asked = [...this.#sights];
    const lookedAt = Date.now();
    try {
      const jobs = new Map((await this.#commands.jobs()).map((job) => [job.id, job]));
      if (this.awaySince !== null) this.#log.info('Slurm answers again');
      this.awaySince = null;
      for (const [id, sight] of asked) see(sight, jobs.get(id), lookedAt);
      await this.#cancelDoomed();
    } catch (error) {
      if (this.awaySince === null) this.#log.warn({ err: error }, 'Slurm does not answer; jobs run on');
      this.awaySince ??= Date.now();
    }
  }

  async #cancelDoomed(): Promise<void> {
    for (const [id, from] of this.#doomed) {
      if (this.#follow(id).overSince !== null) this.#doomed.delete(id);
      else if (Date.now() >= from) await this.#commands.cancel(id);
    }
  }
}

function see(sight: Sight, found: SlurmJob | undefined, lookedAt: number): void {
  sight.lookedAt = lookedAt;
  if (found) {
    sight.job = found;
    sight.missed = 0;
  } else sight.missed += 1;
  const over = found ? standingOf(found.state) === 'over' : sight.missed >= looksUntilUnknown;
  sight.overSince = over ? (sight.overSince ?? Date.now()) : null;
}
