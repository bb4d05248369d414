import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Machine, type Ticket, workerRoutes } from '@mycloud/shared';
import type { Logger } from 'pino';
import type { Capacity } from './capacity.js';
import { hasRoom } from './disk/room.js';
import { answered } from './retry.js';
import type { Roster } from './roster.js';

const pollMs = 10_000;
const longPollSeconds = 20;
/** Jobs taken last: their tickets, which come later, ask for nothing. */
const rememberedJobs = 1000;

const keyOf = ({ jobId, attempt }: Ticket): string => `${jobId}.${attempt}`;

export interface ClaimerOptions {
  client: Client;
  workerId: () => string;
  machines: readonly Machine[];
  capacity: Capacity;
  roster: Roster;
  /** Nothing is taken while its disk is full. */
  home: string;
  log: Logger;
  /** Told of the machines whose tickets it wants now. */
  onTickets: (machines: string[]) => void;
  /** Told of each time it asked. */
  onClaim: (outcome: 'job' | 'none' | 'failed') => void;
  /** Wait at the api for jobs, where there is no queue to wake this worker. */
  longPoll: boolean;
  signal: AbortSignal;
}

/** Takes jobs, one claim at a time, so that two of them never count on the same cores. */
export class Claimer {
  #options: ClaimerOptions;
  #last: Promise<unknown> = Promise.resolve();
  #wakeUp: (() => void) | null = null;
  #taken = new Set<string>();
  /** It asked for a job, and there was none. */
  #idle = false;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    options.capacity.onChange(() => {
      this.#idle = false;
      this.wake();
      options.onTickets(this.welcome);
    });
  }

  /** The machines a further job could have now. */
  get free(): string[] {
    const { machines, capacity, home } = this.#options;
    if (!hasRoom(home)) return [];
    return machines.filter((machine) => capacity.fits(machine)).map((machine) => machine.name);
  }

  /** The machines whose tickets it is waiting for: none while it takes one job after the other without them. */
  get welcome(): string[] {
    return this.#idle ? this.free : [];
  }

  /** Takes the ticket's job, if it is still to be had. */
  ticket(machine: string, ticket: Ticket): Promise<boolean> {
    return this.#oneAtATime(() => {
      const useful = !this.#taken.has(keyOf(ticket)) && this.free.includes(machine);
      return useful && this.#claim([machine], 0, ticket);
    });
  }

  /** Looks for jobs at once. */
  wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = null;
  }

  /**
   * Takes jobs until the signal: at the start, after each job that ends, and every 10 s, since a ticket may be lost;
   * or, without a queue, by waiting at the api.
   */
  async run(): Promise<void> {
    const { signal, longPoll, log } = this.#options;
    while (!signal.aborted) {
      const woken = this.#woken();
      let took = false;
      try {
        const wait = longPoll ? longPollSeconds : 0;
        took = await this.#oneAtATime(() => (this.free.length > 0 ? this.#claim(this.free, wait) : false));
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'no job could be claimed; trying again');
        await sleep(1000, undefined, { signal }).catch(() => undefined);
      }
      if (took || (longPoll && this.free.length > 0)) continue;
      await Promise.race([woken, sleep(pollMs, undefined, { signal, ref: false }).catch(() => undefined)]);
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  async #claim(machines: string[], waitSeconds: number, ticket?: Ticket): Promise<boolean> {
    const { client, workerId, roster, signal, onClaim } = this.#options;
    const body = { workerId: workerId(), machines, waitSeconds, ...(ticket ? { ticket } : {}) };
    const { assignment } = await answered(
      (limit) => client.call(workerRoutes.claim, { body }, { signal: limit }),
      signal,
    ).catch((error: unknown) => {
      if (!signal.aborted) onClaim('failed');
      throw error;
    });
    onClaim(assignment ? 'job' : 'none');
    if (!assignment) {
      if (!ticket) this.#rest();
      return false;
    }
    this.#remember(assignment);
    // The lease is ours even if a shutdown began meanwhile: the next worker adopts it.
    await roster.begin(assignment);
    return true;
  }

  #rest(): void {
    if (this.#idle) return;
    this.#idle = true;
    this.#options.onTickets(this.welcome);
  }

  #remember(assignment: Ticket): void {
    this.#taken.add(keyOf(assignment));
    // A set keeps the order of its making.
    for (const oldest of this.#taken) {
      if (this.#taken.size <= rememberedJobs) break;
      this.#taken.delete(oldest);
    }
  }

  #oneAtATime(task: () => Promise<boolean> | boolean): Promise<boolean> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
