import type { Machine } from '@mycloud/shared';
import type { GpuWatch } from './gpus/watch.js';
import type { Resources } from './resources.js';

/** What a job was given; release gives it back. */
export interface Share {
  readonly gpus: string[];
  /** The command has ended: only its output is still to be saved, which takes neither cores nor GPUs. */
  free(): void;
  release(): void;
}

/** Outputs may come faster than they can be sent: so many wait, and no more, before jobs do. */
const mostSaving = 16;

/**
 * How much of the machine running jobs use. Cores and memory of running jobs stay within what is there, but one job
 * always fits: a small machine is slow, not useless.
 */
export class Capacity {
  #resources: Resources;
  #slots: number | undefined;
  #watch: GpuWatch;
  #used = new Set<{ cores: number; memoryBytes: number; gpus: string[] }>();
  /** Room for jobs that are being asked for. */
  #asked = new Set<{ cores: number; memoryBytes: number; gpus: number }>();
  #saving = new Set<object>();
  #listeners = new Set<() => void>();

  /** @param slots how many jobs at once, instead of what cores and memory allow. */
  constructor(resources: Resources, slots: number | undefined, gpus: GpuWatch) {
    this.#resources = resources;
    this.#slots = slots;
    this.#watch = gpus;
    gpus.onBusy(() => this.#changed());
  }

  /** Cards that something computes on which is no job here. */
  get foreignGpus(): number {
    const taken = this.#takenGpus();
    return [...this.#watch.busy].filter((gpu) => !taken.has(gpu)).length;
  }

  fits(machine: Machine): boolean {
    if (this.#saving.size >= mostSaving) return false;
    const wanted = Math.min(machine.gpus, this.#resources.gpus.length);
    const free = this.#freeGpus().filter((gpu) => !this.#watch.busy.has(gpu));
    const asked = [...this.#asked];
    if (free.length < wanted + asked.reduce((all, { gpus }) => all + gpus, 0)) return false;
    const uses = [...this.#used, ...asked];
    if (uses.length === 0) return true;
    if (this.#slots !== undefined) return uses.length < this.#slots;
    const sum = (of: 'cores' | 'memoryBytes'): number =>
      uses.reduce((all, use) => all + use[of], machine[of]);
    return sum('cores') <= this.#resources.cores && sum('memoryBytes') <= this.#resources.memoryBytes;
  }

  /**
   * Keeps room for a job that is being asked for, whichever of these machines it will have: another that is asked for meanwhile
   * doesn't count on it. @returns gives it back
   */
  reserve(machines: readonly Machine[]): () => void {
    const most = (of: 'cores' | 'memoryBytes' | 'gpus'): number =>
      Math.max(...machines.map((machine) => machine[of]));
    const gpus = Math.min(most('gpus'), this.#resources.gpus.length);
    const use = { cores: most('cores'), memoryBytes: most('memoryBytes'), gpus };
    this.#asked.add(use);
    return () => this.#asked.delete(use);
  }

  /**
   * Notes that a job runs. It is taken even where it doesn't fit: an adopted job runs already.
   * @param held the GPUs an adopted job has
   */
  take(machine: Machine, held?: readonly string[]): Share {
    const quietFirst = this.#freeGpus().sort(
      (a, b) => Number(this.#watch.busy.has(a)) - Number(this.#watch.busy.has(b)),
    );
    const gpus = held ? [...held] : quietFirst.slice(0, machine.gpus);
    const use = { cores: machine.cores, memoryBytes: machine.memoryBytes, gpus };
    this.#used.add(use);
    this.#changed();
    return {
      gpus,
      free: () => {
        if (!this.#used.delete(use)) return;
        this.#saving.add(use);
        // Its own processes are gone from them: the next job needn't wait for the next look.
        if (use.gpus.length > 0) void this.#watch.look().then(() => this.#changed());
        this.#changed();
      },
      release: () => {
        const held = this.#used.delete(use);
        if (this.#saving.delete(use) || held) this.#changed();
      },
    };
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #freeGpus(): string[] {
    const taken = this.#takenGpus();
    return this.#resources.gpus.filter((gpu) => !taken.has(gpu));
  }

  #takenGpus(): Set<string> {
    return new Set([...this.#used].flatMap((use) => use.gpus));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
