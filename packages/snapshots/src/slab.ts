/** A slab is about as long as a pack: what is read into one is mostly sent as one. */
export const slabBytes = 8 * 1024 * 1024;

/** A stretch of memory that threads share and that is used again and again. */
export type Slab = Buffer<SharedArrayBuffer>;

export const newSlab = (bytes: number): Slab => Buffer.from(new SharedArrayBuffer(bytes));

/** A fixed number of slabs: who needs one waits until one is free, which bounds the memory and holds readers back. */
export class SlabPool {
  private readonly free: Slab[] = [];
  private readonly waiting: ((slab: Slab) => void)[] = [];
  private made = 0;

  constructor(private readonly count: number) {}

  async take(): Promise<Slab> {
    const slab = this.free.pop();
    if (slab) return slab;
    if (this.made < this.count) {
      this.made += 1;
      return newSlab(slabBytes);
    }
    return await new Promise((resolve) => this.waiting.push(resolve));
  }

  give(slab: Slab): void {
    const next = this.waiting.shift();
    if (next) next(slab);
    else this.free.push(slab);
  }
}
