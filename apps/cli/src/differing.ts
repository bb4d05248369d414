import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { Entry, ManifestFile } from '@mycloud/snapshots';

/** Files that a folder has already, and otherwise than these entries: what writing them would lose. Paths of the entries. */
export async function differing(entries: Iterable<Entry>, dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.type !== 'file') continue;
    const file = await open(path.join(dir, entry.path)).catch((error: NodeJS.ErrnoException) => {
      // Not there, or its folder is none: writing it loses nothing, or fails.
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (!file) continue;
    try {
      if (!(await holds(file, entry))) found.push(entry.path);
    } finally {
      await file.close();
    }
  }
  return found;
}

/** Whether a file is chunk by chunk what the entry says. */
async function holds(file: FileHandle, entry: ManifestFile): Promise<boolean> {
  const stat = await file.stat();
  if (!stat.isFile() || stat.size !== entry.size) return false;
  for (const { hash, size } of entry.chunks) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, null);
    if (bytesRead !== size || createHash('sha256').update(buffer).digest('hex') !== hash) return false;
  }
  return true;
}
