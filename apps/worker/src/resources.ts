import { execFile } from 'node:child_process';
import { availableParallelism, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** What this machine has to give. */
export interface Resources {
  cores: number;
  memoryBytes: number;
  /** As CUDA_VISIBLE_DEVICES names them. */
  gpus: string[];
}

/** Looks at cores, memory and, by nvidia-smi, GPUs. A machine without nvidia-smi has none. */
export async function findResources(): Promise<Resources> {
  return { cores: availableParallelism(), memoryBytes: totalmem(), gpus: await findGpus() };
}

async function findGpus(): Promise<string[]> {
  try {
    const args = ['--query-gpu=index', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: 10_000 });
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^\d+$/.test(line));
  } catch {
    return [];
  }
}

/** The machine types to offer when none are named: the server's catalogue is expected to hold these. */
export const defaultMachines = (resources: Resources): string[] =>
  resources.gpus.length > 0 ? ['cpu', 'gpu'] : ['cpu'];
