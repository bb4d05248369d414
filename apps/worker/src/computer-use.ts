import { cpus, freemem, totalmem } from 'node:os';
import type { WorkerUse } from '@mycloud/shared';
import type { GpuReading } from './gpus/nvidia-smi.js';
import type { GpuWatch } from './gpus/watch.js';

/** Milliseconds all cores worked and idled since the computer started. */
function cpuTimes(): { busy: number; all: number } {
  const all = cpus()
    .flatMap(({ times }) => Object.values(times))
    .reduce((sum, ms) => sum + ms, 0);
  const idle = cpus().reduce((sum, { times }) => sum + times.idle, 0);
  return { busy: all - idle, all };
}

/** A card that can't tell its use counts as idle. */
const cardUse = ({ index, name, utilisation, memoryUsedBytes, memoryBytes }: GpuReading) => ({
  index: String(index),
  name,
  percent: Math.min(100, utilisation ?? 0),
  memoryUsedBytes,
  memoryBytes,
});

/** What of the computer is in use, by whatever runs on it; of the cores since it was asked the time before. */
export function openComputerUse(gpus: GpuWatch): () => WorkerUse {
  let before = cpuTimes();
  return () => {
    const now = cpuTimes();
    const passed = now.all - before.all;
    const cpuPercent = passed > 0 ? Math.max(0, (100 * (now.busy - before.busy)) / passed) : 0;
    before = now;
    return { cpuPercent, memoryBytes: totalmem() - freemem(), gpus: gpus.readings.map(cardUse) };
  };
}
