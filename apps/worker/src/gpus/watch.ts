import { setTimeout as sleep } from 'node:timers/promises';
import { type GpuReading, queryGpuProcesses, queryGpus } from './nvidia-smi.js';

const againMs = 2000;

/** Looks at this worker's cards again and again; without cards it does nothing. */
export class GpuWatch {
  #uuids: readonly string[];
  #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #readings: readonly GpuReading[] = [];
  #busy = new Set<string>();
  #onReading = new Set<(readings: GpuReading[]) => void>();
  #onBusy = new Set<() => void>();

  /** @param uuids of the cards that jobs are given */
  constructor(uuids: readonly string[], everySeconds: number) {
    this.#uuids = uuids;
    this.#everyMs = everySeconds * 1000;
  }

  /** As of the last look. */
  get readings(): readonly GpuReading[] {
    return this.#readings;
  }

  /** Cards on which something computes, a job or not. */
  get busy(): ReadonlySet<string> {
    return this.#busy;
  }

  /** The first look is over when it resolves. */
  async start(): Promise<void> {
    if (this.#uuids.length === 0) return;
    this.#timer = setInterval(() => void this.look(), this.#everyMs);
    this.#timer.unref();
    await this.look();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Told of each look's readings. @returns ends it */
  onReading(listener: (readings: GpuReading[]) => void): () => void {
    this.#onReading.add(listener);
    return () => this.#onReading.delete(listener);
  }

  /** Told when other cards are busy than before. */
  onBusy(listener: () => void): void {
    this.#onBusy.add(listener);
  }

  /** Looks now. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /**
   * Waits until nothing computes on these cards, asking anew.
   * @param say told once that it waits, and for what
   */
  async untilFree(uuids: readonly string[], say: (line: string) => void, signal: AbortSignal): Promise<void> {
    for (let said = false; uuids.length > 0; ) {
      const foreign = (await queryGpuProcesses()).filter(({ uuid }) => uuids.includes(uuid));
      if (foreign.length === 0) return;
      if (!said) {
        const who = foreign.map(({ pid, uuid }) => `process ${pid} on ${uuid}`).join(', ');
        say(`waiting for its GPU: ${who} is no job of mycloud; this one starts when it is gone`);
        said = true;
      }
      await sleep(againMs, undefined, { signal });
    }
  }

  async #look(): Promise<void> {
    const [readings, processes] = await Promise.all([queryGpus(), queryGpuProcesses()]);
    // nvidia-smi that fails for once says nothing about the cards.
    if (readings.length === 0) return;
    this.#readings = readings;
    const before = [...this.#busy].sort().join();
    this.#busy = new Set(processes.map(({ uuid }) => uuid).filter((uuid) => this.#uuids.includes(uuid)));
    if ([...this.#busy].sort().join() !== before) for (const listener of this.#onBusy) listener();
    for (const listener of this.#onReading) listener(readings);
  }
}
