import type { Stats } from 'node:fs';

/**
 * What tells that a file is still the one it was, without reading it. Times in ms since the epoch are exact to 0.25 µs,
 * which is finer than any kernel's clock for files.
 */
export interface FileStamp {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  inode: number;
}

export const stampOf = ({ size, mtimeMs, ctimeMs, ino }: Stats): FileStamp => ({
  size,
  mtimeMs,
  ctimeMs,
  inode: ino,
});

/** A size and 64 bits of the rest of a stamp: what is kept of one, a third as long. */
export interface ShortStamp {
  size: number;
  low: number;
  high: number;
}

const words = new Uint32Array(6);
const values = new Float64Array(words.buffer);

/** Two files that nobody chose to confuse it have the same with a chance of 1 in 2^64. */
export function shortStamp({ size, mtimeMs, ctimeMs, inode }: FileStamp): ShortStamp {
  values[0] = mtimeMs;
  values[1] = ctimeMs;
  values[2] = inode;
  let [low, high] = [1, 2];
  for (const word of words) {
    low = Math.imul(low ^ word, 0x9e3779b1);
    low ^= low >>> 15;
    high = Math.imul(high ^ word, 0x85ebca77);
    high ^= high >>> 13;
  }
  return { size, low: low >>> 0, high: high >>> 0 };
}
