import { availableParallelism, totalmem } from 'node:os';
import { readGpus } from './gpus.js';

/** What this machine has to give. */
export interface Resources {
  cores: number;
  memoryBytes: number;
  /** As CUDA_VISIBLE_DEVICES names them. */
  gpus: string[];
}

/** Looks at cores, memory and, by nvidia-smi, GPUs. A machine without nvidia-smi has none. */
export async function findResources(): Promise<Resources> {
  return {
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    gpus: (await readGpus()).map((gpu) => gpu.index),
  };
}

/** The machine types to offer when none are named: the server's catalogue is expected to hold these. */
export const defaultMachines = (resources: Resources): string[] =>
  resources.gpus.length > 0 ? ['cpu', 'gpu'] : ['cpu'];
