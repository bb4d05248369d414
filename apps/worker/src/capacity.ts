import type { Machine } from '@mycloud/shared';
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
  #used = new Set<{ cores: number; memoryBytes: number; gpus: string[] }>();
  #saving = new Set<object>();
  #listeners = new Set<() => void>();

  /** @param slots how many jobs at once, instead of what cores and memory allow. */
  constructor(resources: Resources, slots: number | undefined) {
    this.#resources = resources;
    this.#slots = slots;
  }

  fits(machine: Machine): boolean {
    if (this.#saving.size >= mostSaving) return false;
    if (this.#used.size === 0) return true;
    if (machine.gpus > 0 && this.#freeGpus().length < Math.min(machine.gpus, this.#resources.gpus.length))
      return false;
    if (this.#slots !== undefined) return this.#used.size < this.#slots;
    const sum = (of: 'cores' | 'memoryBytes'): number =>
      [...this.#used].reduce((all, use) => all + use[of], machine[of]);
    return sum('cores') <= this.#resources.cores && sum('memoryBytes') <= this.#resources.memoryBytes;
  }

  /** Notes that a job runs. It is taken even where it doesn't fit: an adopted job runs already. */
  take(machine: Machine): Share {
    const gpus = this.#freeGpus().slice(0, machine.gpus);
    const use = { cores: machine.cores, memoryBytes: machine.memoryBytes, gpus };
    this.#used.add(use);
    this.#changed();
    return {
      gpus,
      free: () => {
        if (!this.#used.delete(use)) return;
        this.#saving.add(use);
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
    const taken = new Set([...this.#used].flatMap((use) => use.gpus));
    return this.#resources.gpus.filter((gpu) => !taken.has(gpu));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
