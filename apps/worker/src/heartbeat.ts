import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type Client, workerRoutes } from '@mycloud/shared';
import type { Logger } from 'pino';
import type { Roster } from './roster.js';

const againMs = 500;

export interface HeartbeatOptions {
  client: Client;
  workerId: () => string;
  roster: Roster;
  log: Logger;
  everyMs: number;
  signal: AbortSignal;
  /** The api doesn't know this worker any more. */
  onUnknown: () => Promise<void>;
}

/** Renews the leases of all attempts until the signal. While the api can't be reached, jobs run on. */
export async function keepLeases(options: HeartbeatOptions): Promise<void> {
  const { client, workerId, roster, log, signal } = options;
  // A third of a lease of 5 s is no whole number, which timers of a signal refuse.
  const everyMs = Math.max(1, Math.floor(options.everyMs));
  while (!signal.aborted) {
    let wait = everyMs;
    try {
      const asked = roster.proofs;
      const body = { workerId: workerId(), attempts: asked };
      // A call that hangs must not cost the lease.
      const limit = AbortSignal.any([signal, AbortSignal.timeout(everyMs)]);
      const { refused, commands } = await client.call(workerRoutes.heartbeat, { body }, { signal: limit });
      roster.refused(refused);
      for (const command of commands) roster.command(command);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof AppError && error.code === 'not_found') await options.onUnknown();
      else log.warn({ err: error }, 'the leases could not be renewed; jobs run on');
      // Soon again: an api that comes back finds the leases as they were, and they run on meanwhile.
      wait = Math.min(everyMs, againMs);
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}
