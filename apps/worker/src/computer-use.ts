import { cpus, freemem, totalmem } from 'node:os';
import type { WorkerUse } from '@mycloud/shared';
import type { GpuWatch } from './gpus.js';

/** Milliseconds all cores worked and idled since the computer started. */
function cpuTimes(): { busy: number; all: number } {
  const all = cpus()
    .flatMap(({ times }) => Object.values(times))
    .reduce((sum, ms) => sum + ms, 0);
  const idle = cpus().reduce((sum, { times }) => sum + times.idle, 0);
  return { busy: all - idle, all };
}

/** What of the computer is in use, by whatever runs on it; of the cores since it was asked the time before. */
export function openComputerUse(gpus: GpuWatch): () => Promise<WorkerUse> {
  let before = cpuTimes();
  return async () => {
    const now = cpuTimes();
    const passed = now.all - before.all;
    const cpuPercent = passed > 0 ? Math.max(0, (100 * (now.busy - before.busy)) / passed) : 0;
    before = now;
    return { cpuPercent, memoryBytes: totalmem() - freemem(), gpus: await gpus.read() };
  };
}
