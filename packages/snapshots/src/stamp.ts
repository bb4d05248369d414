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
