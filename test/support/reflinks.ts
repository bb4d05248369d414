import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { wantProgram } from './require.js';
import { mayMount } from './small-disk.js';

const mkfs = mayMount ? wantProgram('mkfs.xfs', ['/usr/sbin/mkfs.xfs', '/sbin/mkfs.xfs']) : undefined;

/** A disk whose files may share blocks can be made here: by root, where mkfs.xfs is, if the kernel knows XFS. */
export const hasReflinks = mkfs !== undefined && /\bxfs$/m.test(readFileSync('/proc/filesystems', 'utf8'));

/**
 * Puts such a disk below a folder that is there.
 * @param size bytes, at least 300 MiB; only what is written takes up any. @returns what gives the folder back
 */
export function mountReflinks(folder: string, size: number): () => void {
  const image = `${folder}.xfs`;
  writeFileSync(image, '');
  truncateSync(image, size);
  execFileSync(mkfs!, ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, folder]);
  return () => {
    execFileSync('umount', [folder]);
    rmSync(image);
  };
}
