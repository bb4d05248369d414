import type { Machine } from '@mycloud/shared';
import type { Resources } from './resources.js';

/** What a job was given; release gives it back. */
export interface Share {
  readonly gpus: string[];
  release(): void;
}

/**
 * How much of the machine running jobs use. Cores and memory of running jobs stay within what is there, but one job
 * always fits: a small machine is slow, not useless.
 */
export class Capacity {
  #resources: Resources;
  #slots: number | undefined;
  #used = new Set<{ cores: number; memoryBytes: number; gpus: string[] }>();
  #listeners = new Set<() => void>();

  /** @param slots how many jobs at once, instead of what cores and memory allow. */
  constructor(resources: Resources, slots: number | undefined) {
    this.#resources = resources;
    this.#slots = slots;
  }

  get jobs(): number {
    return this.#used.size;
  }

  fits(machine: Machine): boolean {
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
      release: () => {
        if (this.#used.delete(use)) this.#changed();
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
