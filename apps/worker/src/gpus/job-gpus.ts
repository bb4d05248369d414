import type { MetricPoint } from '@mycloud/shared';
import type { GpuReading } from './nvidia-smi.js';

/** Something that reads cards again and again. */
export interface GpuReadings {
  /** @returns ends it */
  onReading(listener: (readings: GpuReading[]) => void): () => void;
}

/** Cards of another computer, as what runs the job there leaves their readings. @param read none: nothing is known */
export const farGpus = (read: () => Promise<GpuReading[]>, everySeconds: number): GpuReadings => ({
  onReading(listener) {
    const timer = setInterval(() => {
      // A file that can't be read for once says nothing about the cards.
      read().then(
        (readings) => readings.length > 0 && listener(readings),
        () => undefined,
      );
    }, everySeconds * 1000);
    return () => clearInterval(timer);
  },
});

export interface JobGpusOptions {
  watch: GpuReadings;
  /** UUIDs of the job's cards; null: all that are read. */
  gpus: readonly string[] | null;
  /** Below so many percent, all of its cards together, a job counts as idle. */
  idlePercent: number;
  idleSeconds: number;
  add(points: MetricPoint[]): void;
  /** It has been idle for so long; told once until it computes again. */
  onIdle(sentence: string): void;
}

/** Makes metrics of the cards of a running job, and notices when it leaves them idle. @returns ends it */
export function followGpus(options: JobGpusOptions): () => void {
  const { watch, gpus, idlePercent, idleSeconds, add, onIdle } = options;
  if (gpus?.length === 0) return () => undefined;
  let idleSince: number | null = null;
  let told = false;
  return watch.onReading((readings) => {
    const own = gpus === null ? readings : readings.filter(({ uuid }) => gpus.includes(uuid));
    const now = Date.now();
    const used = mean(own);
    const memory = own.reduce((sum, reading) => sum + reading.memoryUsedBytes, 0);
    const point = (name: string, value: number): MetricPoint => ({ name, step: null, value, time: now });
    add([...(used === null ? [] : [point('system/gpu', used)]), point('system/gpu_memory', memory)]);
    if (used === null || used >= idlePercent) {
      idleSince = null;
      told = false;
      return;
    }
    idleSince ??= now;
    if (told || now - idleSince < idleSeconds * 1000) return;
    told = true;
    const which = own.length === 1 ? 'its GPU was' : `its ${own.length} GPUs were`;
    onIdle(`${which} used less than ${idlePercent} % for ${timeText(idleSeconds)}`);
  });
}

/** Percent, of the cards that say; null when none does. */
function mean(readings: readonly GpuReading[]): number | null {
  const known = readings.flatMap(({ utilisation }) => utilisation ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

const timeText = (seconds: number): string =>
  seconds % 60 === 0 && seconds > 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
