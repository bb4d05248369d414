import { Hasher } from 'gearhash-jit';

/** Files up to this size are one chunk: cutting them would save little and cost a request each. */
export const wholeBytes = 1024 * 1024;
const minBytes = 128 * 1024;
export const maxChunkBytes = 2 * 1024 * 1024;
/**
 * A cut where the 19 highest bits of the gear hash are zero: 512 KiB past the minimum on average. The highest bits,
 * because a byte shifts out of them only after 64 steps (Xia et al., FastCDC, USENIX ATC 2016).
 */
const mask = 0xffffe00000000000n;
/** What the hasher takes in one call is less than 512 KiB. */
const stepBytes = 256 * 1024;

/**
 * Finds where a file is cut into chunks, by content, so that an insertion changes the chunks around it and no others.
 * The numbers above were chosen by measurement (docs/snapshots.md), are part of what makes equal files equal chunks, and stay.
 */
export class Cutter {
  private readonly hasher = new Hasher(mask);
  /** Bytes of the open chunk already looked at. */
  private seen = minBytes;

  /** Begins with a new file. */
  reset(): void {
    this.hasher.resetHash();
    this.seen = minBytes;
  }

  /**
   * @param bytes from the open chunk's first byte on, as far as the file was read; more of it in a later call
   * @param ended nothing of the file comes after these bytes
   * @returns the open chunk's length, or 0 when it goes on after `bytes`
   */
  next(bytes: Uint8Array, ended: boolean): number {
    const limit = Math.min(bytes.length, maxChunkBytes);
    while (this.seen < limit) {
      const from = this.seen;
      this.seen = Math.min(from + stepBytes, limit);
      const found = this.hasher.nextMatch(bytes.subarray(from, this.seen));
      if (found > 0) return this.cut(from + found);
    }
    return limit === maxChunkBytes || ended ? this.cut(limit) : 0;
  }

  private cut(length: number): number {
    this.reset();
    return length;
  }
}
