import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  type BuiltEnvironment,
  type Client,
  type WorkerCommand,
  type WorkerUse,
  workerRoutes,
} from '@mycloud/shared';
import type { Logger } from 'pino';
import { answered, isRefused } from './retry.js';
import type { Roster } from './roster.js';

const againMs = 500;

export interface HeartbeatOptions {
  client: Client;
  workerId: () => string;
  roster: Roster;
  /** What of this computer is in use, told with each. */
  use: () => WorkerUse;
  foreignGpus: () => number;
  environments: () => BuiltEnvironment[];
  /** Calls the listener when there is something to tell before the next beat is due. */
  onNews: (listener: () => void) => void;
  onCommand: (command: WorkerCommand) => void;
  /** Told of each that no api took. */
  onFailure: () => void;
  log: Logger;
  everyMs: number;
  signal: AbortSignal;
  /** The api doesn't know this worker any more. */
  onUnknown: () => Promise<void>;
  /** The api won't have it any more. */
  onRefused: (error: AppError) => void;
}

/** Renews the leases of all attempts until the signal. While the api can't be reached, jobs run on. */
export async function keepLeases(options: HeartbeatOptions): Promise<void> {
  const { client, workerId, roster, use, foreignGpus, environments, log, everyMs, signal } = options;
  let news = new AbortController();
  options.onNews(() => news.abort());
  while (!signal.aborted) {
    let wait = everyMs;
    news = new AbortController();
    try {
      const asked = roster.proofs;
      const body = {
        workerId: workerId(),
        attempts: asked,
        use: use(),
        foreignGpus: foreignGpus(),
        environments: environments(),
      };
      // A call that hangs must not cost the lease.
      const { refused, commands } = await answered(
        (limit) => client.call(workerRoutes.heartbeat, { body }, { signal: limit }),
        signal,
        everyMs,
      );
      roster.refused(refused);
      for (const command of commands) options.onCommand(command);
    } catch (error) {
      if (signal.aborted) return;
      if (isRefused(error)) return options.onRefused(error);
      options.onFailure();
      if (error instanceof AppError && error.code === 'not_found') await options.onUnknown();
      else log.warn({ err: error }, 'the leases could not be renewed; jobs run on');
      // Soon again: an api that comes back finds the leases as they were, and they run on meanwhile.
      wait = Math.min(everyMs, againMs);
    }
    await sleep(wait, undefined, { signal: AbortSignal.any([signal, news.signal]) }).catch(() => undefined);
  }
}
