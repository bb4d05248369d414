import { availableParallelism, totalmem } from 'node:os';
import { queryGpus } from './gpus/nvidia-smi.js';

/** What this machine has to give. */
export interface Resources {
  cores: number;
  memoryBytes: number;
  /** UUIDs, as CUDA_VISIBLE_DEVICES takes them: indices change from start to start. */
  gpus: string[];
}

/** Looks at cores, memory and, by nvidia-smi, GPUs. A machine without nvidia-smi has none. */
export async function findResources(): Promise<Resources> {
  const gpus = (await queryGpus()).map(({ uuid }) => uuid);
  return { cores: availableParallelism(), memoryBytes: totalmem(), gpus };
}

/** The machine types to offer when none are named: the server's catalogue is expected to hold these. */
export const defaultMachines = ({ gpus }: Resources): string[] => [
  'cpu',
  ...(gpus.length > 0 ? ['gpu'] : []),
  ...(gpus.length > 1 ? ['gpu2'] : []),
];
