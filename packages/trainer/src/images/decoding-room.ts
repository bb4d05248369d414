/** Pixels that may be decoded at once, at most 4 bytes each; a larger picture is decoded alone. */
const AT_ONCE = 24_000_000;

/** Bounds memory: lets pictures be decoded as long as there is room for their pixels, in the order they asked. */
export class DecodingRoom {
  private taken = 0;
  private readonly queue: { pixels: number; enter: () => void }[] = [];

  /** Runs `decode` when there is room. */
  async within<T>(pixels: number, decode: () => Promise<T>): Promise<T> {
    await new Promise<void>((enter) => {
      this.queue.push({ pixels, enter });
      this.admit();
    });
    try {
      return await decode();
    } finally {
      this.taken -= pixels;
      this.admit();
    }
  }

  private admit(): void {
    while (this.queue.length > 0) {
      const { pixels, enter } = this.queue[0]!;
      if (this.taken > 0 && this.taken + pixels > AT_ONCE) return;
      this.queue.shift();
      this.taken += pixels;
      enter();
    }
  }
}
