import type { BigIntStats } from 'node:fs';

/** What tells that a file is still the one it was, without reading it. */
export interface FileStamp {
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
}

export const stampOf = (stat: BigIntStats): FileStamp => ({
  size: Number(stat.size),
  mtimeNs: stat.mtimeNs,
  ctimeNs: stat.ctimeNs,
  inode: stat.ino,
});
