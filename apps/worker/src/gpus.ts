import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { WorkerUse } from '@mycloud/shared';

export type GpuUse = WorkerUse['gpus'][number];

const fields = 'index,name,utilization.gpu,memory.used,memory.total';
const timeoutMs = 10_000;

/** Asks nvidia-smi for what its GPUs are busy with. A machine without it has none. */
export async function readGpus(): Promise<GpuUse[]> {
  try {
    const args = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: timeoutMs });
    return stdout.split('\n').flatMap(gpuOf);
  } catch {
    // Not there, or without a driver: there is no GPU that a job could use.
    return [];
  }
}

/** `0, NVIDIA H100, 37, 1024, 81559`: percent and MiB, or [N/A] where a card can't tell. */
function gpuOf(line: string): GpuUse[] {
  const [index = '', name = '', percent, used, total] = line.split(',').map((part) => part.trim());
  if (!/^\d+$/.test(index)) return [];
  const number = (text: string | undefined) => Math.max(0, Number(text) || 0);
  const mebibytes = (text: string | undefined) => Math.round(number(text) * 2 ** 20);
  return [
    {
      index,
      name,
      percent: Math.min(100, number(percent)),
      memoryUsedBytes: mebibytes(used),
      memoryBytes: mebibytes(total),
    },
  ];
}

/** Looks at the GPUs again and again while somebody wants to know; several ask by one nvidia-smi. */
export class GpuWatch {
  #latest: { at: number; gpus: Promise<GpuUse[]> } | null = null;

  /** @param present whether this machine has GPUs at all: without any, nothing is asked */
  constructor(readonly present: boolean) {}

  /** As of at most two seconds ago. */
  read(): Promise<GpuUse[]> {
    if (!this.present) return Promise.resolve([]);
    if (!this.#latest || Date.now() - this.#latest.at > 1900)
      this.#latest = { at: Date.now(), gpus: readGpus() };
    return this.#latest.gpus;
  }
}
