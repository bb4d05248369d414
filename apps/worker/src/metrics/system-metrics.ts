import type { MetricPoint } from '@mycloud/shared';
import type { Usage } from '../runners/runner.js';

const everyMs = 2000;

/** Samples CPU (percent of one core) and memory (bytes resident) of a job's processes, and its GPUs, every 2 s. */
export class SystemMetrics {
  #timer: NodeJS.Timeout | null = null;
  #cpuBefore = new Map<string, number>();
  #sampledAt = 0;
  /** The most memory seen, bytes. */
  peakMemory = 0;

  /** @param usage what the job uses now; a failure of it costs a point */
  start(
    usage: () => Promise<Usage>,
    add: (points: MetricPoint[]) => void,
    onFailure: (error: unknown) => void,
  ): void {
    let asking = false;
    this.#timer = setInterval(() => {
      if (asking) return;
      asking = true;
      usage()
        .then((used) => {
          if (this.#timer) add(this.#sample(used, Date.now()));
        })
        .catch(onFailure)
        .finally(() => {
          asking = false;
        });
    }, everyMs);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sample({ cpuSeconds: cpuNow, memoryBytes: memory }: Usage, time: number): MetricPoint[] {
    let used = 0;
    for (const [key, seconds] of cpuNow) used += seconds - (this.#cpuBefore.get(key) ?? 0);
    const elapsed = (time - this.#sampledAt) / 1000;
    const first = this.#sampledAt === 0;
    this.#cpuBefore = cpuNow;
    this.#sampledAt = time;
    this.peakMemory = Math.max(this.peakMemory, memory);
    const points = [{ name: 'system/memory', step: null, value: memory, time }];
    // Without a sample before it there is no share to tell.
    if (!first) points.unshift({ name: 'system/cpu', step: null, value: (100 * used) / elapsed, time });
    return points;
  }
}
