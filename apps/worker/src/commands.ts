import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Answer,
  type AppError,
  type Client,
  readEvents,
  type WorkerCommand,
  workerCommandSchema,
  workerRoutes,
} from '@mycloud/shared';
import type { Logger } from 'pino';
import { isRefused } from './retry.js';

export interface CommandsOptions {
  client: Client;
  workerId: () => string;
  onCommand: (command: WorkerCommand) => void;
  /** The api won't have this worker any more. */
  onRefused: (error: AppError) => void;
  log: Logger;
  signal: AbortSignal;
}

/** Comments come each 10 s: silence of three times that is a connection nobody told us is dead. */
const silenceMs = 30_000;

/** Follows the api's orders until the signal, reconnecting. What is missed meanwhile comes with a heartbeat. */
export async function followCommands(options: CommandsOptions): Promise<void> {
  const { signal, log } = options;
  for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, 2000)) {
    try {
      if (await followOnce(options)) wait = 100;
    } catch (error) {
      if (!signal.aborted && isRefused(error)) return options.onRefused(error);
      if (!signal.aborted) log.debug({ err: error }, 'the command stream broke off; connecting again');
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns whether a connection stood. */
async function followOnce({ client, workerId, onCommand, signal }: CommandsOptions): Promise<boolean> {
  const silent = new AbortController();
  const limit = AbortSignal.any([signal, silent.signal]);
  const response = await client.open(
    workerRoutes.commands,
    { query: { workerId: workerId() } },
    { signal: limit },
  );
  const body = watchSilence(response.body, () => silent.abort());
  for await (const event of readEvents({ body })) {
    // `reconnect`: that api closes, and the stream ends with it.
    if (event.data && event.event !== 'reconnect')
      onCommand(workerCommandSchema.parse(JSON.parse(event.data)));
  }
  return true;
}

/** Calls when nothing has come for too long, comments included. */
async function* watchSilence(body: Answer['body'], onSilence: () => void): AsyncGenerator<Uint8Array> {
  let timer = setTimeout(onSilence, silenceMs).unref();
  try {
    for await (const chunk of body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(onSilence, silenceMs).unref();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}
