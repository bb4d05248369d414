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

/** Takes jobs. Two claims at once never count on the same cores: each reserves what its job may need. */
export class Claimer {
  #options: ClaimerOptions;
  #waiting = new Set<() => void>();
  /** Claims under way. */
  #asking = new Set<Promise<unknown>>();
  /** The last claim gave a job. */
  #found = false;
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
  async ticket(machine: string, ticket: Ticket): Promise<boolean> {
    // Room that one under way may take is seen once it is answered.
    await Promise.allSettled(this.#asking);
    const useful = !this.#taken.has(keyOf(ticket)) && this.free.includes(machine);
    return useful && this.#claim([machine], 0, ticket);
  }

  /** Looks for jobs at once. */
  wake(): void {
    for (const wakeUp of this.#waiting) wakeUp();
    this.#waiting.clear();
  }

  /**
   * Takes jobs until the signal: at the start, after each job that ends, and every 10 s, since a ticket may be lost;
   * or, without a queue, by waiting at the api.
   */
  async run(): Promise<void> {
    await Promise.all([this.#look(), this.#lookBeside()]);
  }

  async #look(): Promise<void> {
    const { signal, longPoll, log } = this.#options;
    while (!signal.aborted) {
      const woken = this.#woken();
      let took = false;
      try {
        const wait = longPoll ? longPollSeconds : 0;
        took = this.free.length > 0 && (await this.#claim(this.free, wait));
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'no job could be claimed; trying again');
        await sleep(1000, undefined, { signal }).catch(() => undefined);
      }
      if (took || (longPoll && this.free.length > 0)) continue;
      await Promise.race([woken, sleep(pollMs, undefined, { signal, ref: false }).catch(() => undefined)]);
    }
  }

  /** While there is one job after the other, room that comes during a claim isn't left empty until it is answered. */
  async #lookBeside(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const woken = this.#woken();
      // An error is told, and waited after, by the claim it goes beside.
      const asks = this.#asking.size > 0 && this.#found && this.free.length > 0;
      if (asks && (await this.#claim(this.free, 0).catch(() => false))) continue;
      await Promise.race([woken, sleep(pollMs, undefined, { signal, ref: false }).catch(() => undefined)]);
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  async #claim(machines: string[], waitSeconds: number, ticket?: Ticket): Promise<boolean> {
    const { client, workerId, roster, signal, onClaim } = this.#options;
    const body = { workerId: workerId(), machines, waitSeconds, ...(ticket ? { ticket } : {}) };
    const named = this.#options.machines.filter(({ name }) => machines.includes(name));
    const giveBack = this.#options.capacity.reserve(named);
    const asking = answered((limit) => client.call(workerRoutes.claim, { body }, { signal: limit }), signal);
    this.#asking.add(asking);
    let begun: Promise<void> | undefined;
    try {
      const { assignment } = await asking.finally(() => this.#asking.delete(asking));
      onClaim(assignment ? 'job' : 'none');
      this.#found = assignment !== null;
      if (assignment) {
        this.#remember(assignment);
        // It takes its share at once, so that the room given back is there for others only if it is left over.
        // The lease is ours even if a shutdown began meanwhile: the next worker adopts it.
        begun = roster.begin(assignment);
      }
    } catch (error) {
      if (!signal.aborted) onClaim('failed');
      throw error;
    } finally {
      giveBack();
    }
    if (!begun && !ticket) this.#rest();
    await begun;
    return begun !== undefined;
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
}
