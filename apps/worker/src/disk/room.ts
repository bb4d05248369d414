import { statfsSync } from 'node:fs';

/** Below it a disk counts as full: an attempt needs some room for its own books. */
const leastFreeBytes = 16 * 2 ** 20;

/** Whether a folder's disk has room for a further attempt. */
export function hasRoom(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= leastFreeBytes;
}

/** Whether it was a full disk, or a used-up share of one, that an error or its cause tells of. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || isDiskFull(error.cause);
}
