import { isDeepStrictEqual } from 'node:util';
import type { WorkerCommand } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type EventStream, frame } from '../logs/sse.js';
import { pendingRemovals, pendingStops } from './heartbeat.js';
import type { WorkerRow } from './held.js';

/**
 * Sends a worker its commands as they come: what was asked before it connected first, then stops within
 * one NOTIFY, and a wake when a job for its machines is queued. Heartbeats tell stops again should one be lost here.
 */
export async function streamCommands(deps: Deps, worker: WorkerRow, stream: EventStream): Promise<void> {
  let writing = Promise.resolve();
  const later = (work: () => Promise<void>) => {
    writing = writing.then(work).catch((error: unknown) => {
      deps.log.warn(
        { err: error, worker: worker.name },
        'a command was not sent; heartbeats carry stops too',
      );
    });
  };
  const send = (command: WorkerCommand) => stream.write(frame(undefined, command));
  let last: WorkerCommand[] = [];
  const stops = async (jobId?: string) => {
    const pending = await pendingStops(deps, worker.id);
    // A stop asked for again is sent again; the others only when they are new.
    for (const command of pending) {
      const again = command.type === 'stop' && command.jobId === jobId;
      if (again || !last.some((sent) => isDeepStrictEqual(sent, command))) await send(command);
    }
    last = pending;
  };
  const removals = async () => {
    for (const command of await pendingRemovals(deps, worker.id)) await send(command);
  };
  const ends = [
    deps.hub.subscribe((signal) => {
      if (signal.type === 'stop' && signal.workerId === worker.id) later(() => stops(signal.jobId));
      if (signal.type === 'remove_environment' && signal.workerId === worker.id) later(removals);
      if (signal.type === 'wake' && worker.machines.includes(signal.machine))
        later(() => send({ type: 'wake' }));
      if (signal.type === 'worker_removed' && signal.workerId === worker.id) stream.end();
      if (signal.type === 'dial' && signal.workerId === worker.id)
        later(() => send({ type: 'dial', ...signal.dial }));
    }),
    deps.hub.onGap(() => {
      later(() => stops());
      later(removals);
      later(() => send({ type: 'wake' }));
    }),
  ];
  stream.gone.addEventListener('abort', () => ends.forEach((end) => void end()), { once: true });
  if (stream.gone.aborted) for (const end of ends) end();
  later(() => stops());
  later(removals);
  await writing;
}
