import path from 'node:path';
import { type AppError, type Machine, version, type WorkerCommand, workerRoutes } from '@mycloud/shared';
import { adopt } from './adopt.js';
import { Capacity } from './capacity.js';
import { Claimer } from './claim.js';
import { followCommands } from './commands.js';
import { openComputerUse } from './computer-use.js';
import type { WorkerDeps } from './deps.js';
import { makeSpread } from './disk/spread.js';
import { keepLeases } from './heartbeat.js';
import { limitsText } from './limits/limits.js';
import { offerOf } from './offer.js';
import { isRefused, untilAnswered } from './retry.js';
import { Roster } from './roster.js';
import { openTickets, type Tickets } from './tickets.js';

export interface RunningWorker {
  workerId: string;
  machines: Machine[];
  /** Resolves when the api won't have it any more, with what it said; its jobs are stopped then, since others get them. */
  refused: Promise<AppError>;
  /** Stops claiming and lets go of running jobs; they go on and are adopted by the next start. */
  close(): Promise<void>;
}

/**
 * Registers, adopts what an earlier worker of this home left, and takes jobs until closed. Waits for an api that
 * isn't there yet. @throws AppError when the api refuses the worker
 */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, client, log, resources } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const offer = await offerOf(deps, signal);
  const register = () =>
    untilAnswered(
      () =>
        client.call(workerRoutes.register, {
          body: {
            name: config.name,
            version,
            runner: deps.runners.main.name,
            images: deps.runners.images,
            ...offer,
            limits: limitsText(deps.runners.main.limits),
          },
        }),
      signal,
    );
  const registered = await register();
  let { workerId } = registered;
  const { machines, leaseSeconds } = registered;

  const attemptsDir = path.join(config.home, 'attempts');
  await makeSpread(attemptsDir);
  const capacity = new Capacity(resources, config.slots, deps.gpus);
  await deps.gpus.start();
  const roster = new Roster(deps, attemptsDir, capacity);
  for (const execution of await adopt(deps, attemptsDir, capacity)) roster.add(execution);

  let tickets: Tickets | null = null;
  const claimer: Claimer = new Claimer({
    client,
    workerId: () => workerId,
    machines,
    capacity,
    roster,
    home: config.home,
    log,
    onTickets: (wanted) => tickets?.take(wanted),
    onClaim: (outcome) => deps.metrics.claims.inc({ outcome }),
    longPoll: config.queueUrl === undefined,
    signal,
  });
  tickets = config.queueUrl
    ? openTickets({
        url: config.queueUrl,
        machines: machines.map((machine) => machine.name),
        onTicket: (machine, ticket) => claimer.ticket(machine, ticket),
        log,
      })
    : null;
  tickets?.take(claimer.welcome);

  let tellRefused: (error: AppError) => void = () => undefined;
  const refused = new Promise<AppError>((resolve) => {
    tellRefused = resolve;
  });
  const onRefused = (error: AppError): void => {
    if (!signal.aborted) roster.refused(roster.proofs);
    tellRefused(error);
  };
  const onCommand = (command: WorkerCommand): void => {
    if (command.type === 'wake') claimer.wake();
    else if (command.type === 'remove_environment') removeEnvironment(deps, command.id);
    else roster.command(command);
  };
  const tasks = [
    keepLeases({
      client,
      workerId: () => workerId,
      roster,
      use: openComputerUse(deps.gpus),
      foreignGpus: () => capacity.foreignGpus,
      environments: () => deps.environments.built,
      onNews: (listener) => deps.environments.onChange(listener),
      onCommand,
      onFailure: () => deps.metrics.heartbeatFailures.inc(),
      log,
      // AbortSignal.timeout takes whole milliseconds only.
      everyMs: Math.floor((leaseSeconds * 1000) / 3),
      signal,
      onUnknown: async () => {
        try {
          workerId = (await register()).workerId;
        } catch (error) {
          if (!isRefused(error)) throw error;
          onRefused(error);
        }
      },
      onRefused,
    }),
    followCommands({
      client,
      workerId: () => workerId,
      onCommand,
      onRefused,
      log,
      signal,
    }),
    claimer.run(),
  ];
  return {
    workerId,
    machines,
    refused,
    async close() {
      stopping.abort();
      await tickets?.close();
      await Promise.allSettled(tasks);
      await roster.leave();
      deps.launcher.close();
      deps.gpus.close();
      deps.limits.close();
    },
  };
}

/** By an admin's word; whether it is gone, the next heartbeat tells. */
function removeEnvironment({ environments, log }: WorkerDeps, id: string): void {
  environments.remove(id).then(
    (gone) => log.info({ environment: id }, gone ? 'removed' : 'not removed: it is in use'),
    (error: unknown) => log.warn({ err: error, environment: id }, 'an environment could not be removed'),
  );
}
