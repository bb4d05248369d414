import { setTimeout as sleep } from 'node:timers/promises';
import { machineRoutes } from '@mycloud/shared';
import type { WorkerDeps } from './deps.js';
import { defaultMachines } from './resources.js';
import { untilAnswered } from './retry.js';
import { SlurmAway } from './slurm/commands.js';

const againMs = 5000;

/** What a worker tells the api it has. */
interface Offer {
  machines: string[];
  cores: number;
  memoryBytes: number;
  gpus: number;
}

/** This computer's, or with Slurm its cluster's, which is waited for. @throws AppError when nothing there fits */
export async function offerOf(deps: WorkerDeps, signal: AbortSignal): Promise<Offer> {
  const { config, resources, runners, client, log } = deps;
  if (!runners.slurm) {
    const { cores, memoryBytes, gpus } = resources;
    return { machines: config.machines ?? defaultMachines(resources), cores, memoryBytes, gpus: gpus.length };
  }
  const wanted = (name: string): boolean => config.machines?.includes(name) ?? true;
  const catalogue = async () =>
    (await untilAnswered(() => client.call(machineRoutes.machines, {}), signal)).items;
  for (;;) {
    try {
      const { partitions, ...rest } = await runners.slurm.offer(catalogue);
      log.info({ partitions }, "Slurm's partitions are the machines");
      return { machines: Object.keys(partitions).filter(wanted), ...rest };
    } catch (error) {
      if (!(error instanceof SlurmAway)) throw error;
      log.warn({ err: error }, 'Slurm does not answer; asking again');
    }
    await sleep(againMs, undefined, { signal });
  }
}
