import type { MetricPoint } from '@mycloud/shared';
import type { GpuWatch } from '../gpus.js';
import type { ProcessInfo } from '../processes.js';

const everyMs = 2000;

/** Samples CPU (percent of one core) and memory (bytes resident) of a job's processes, and its GPUs, every 2 s. */
export class SystemMetrics {
  #timer: NodeJS.Timeout | null = null;
  #cpuBefore = new Map<string, number>();
  #sampledAt = 0;
  /** The most memory seen, bytes. */
  peakMemory = 0;

  /**
   * @param members the living processes of the job
   * @param gpus of the machine, and the indices of those that are the job's own
   */
  start(
    members: () => ProcessInfo[],
    add: (points: MetricPoint[]) => void,
    gpus: { watch: GpuWatch; own: readonly string[] },
  ): void {
    this.#timer = setInterval(() => {
      add(this.#sample(members(), Date.now()));
      if (gpus.own.length > 0) void sampleGpus(gpus.watch, gpus.own).then(add);
    }, everyMs);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sample(processes: ProcessInfo[], time: number): MetricPoint[] {
    const cpuNow = new Map(processes.map((info) => [`${info.pid} ${info.startTime}`, info.cpuSeconds]));
    let used = 0;
    for (const [key, seconds] of cpuNow) used += seconds - (this.#cpuBefore.get(key) ?? 0);
    const elapsed = (time - this.#sampledAt) / 1000;
    const first = this.#sampledAt === 0;
    this.#cpuBefore = cpuNow;
    this.#sampledAt = time;
    const memory = processes.reduce((sum, info) => sum + info.rssBytes, 0);
    this.peakMemory = Math.max(this.peakMemory, memory);
    const points = [{ name: 'system/memory', step: null, value: memory, time }];
    // Without a sample before it there is no share to tell.
    if (!first) points.unshift({ name: 'system/cpu', step: null, value: (100 * used) / elapsed, time });
    return points;
  }
}

/** How busy its GPUs are on the average, percent, and the bytes used on all of them. */
async function sampleGpus(watch: GpuWatch, own: readonly string[]): Promise<MetricPoint[]> {
  const used = (await watch.read()).filter((gpu) => own.includes(gpu.index));
  if (used.length === 0) return [];
  const sum = (of: 'percent' | 'memoryUsedBytes') => used.reduce((all, gpu) => all + gpu[of], 0);
  const time = Date.now();
  return [
    { name: 'system/gpu', step: null, value: sum('percent') / used.length, time },
    { name: 'system/gpu_memory', step: null, value: sum('memoryUsedBytes'), time },
  ];
}
