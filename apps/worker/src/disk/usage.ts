import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

const blockBytes = 512;

/**
 * Bytes that a folder takes on its disk, holes of sparse files not counted and files with several names once. What
 * vanishes meanwhile, or may not be read, counts nothing.
 * @param skip names directly below it that are left out
 */
export async function diskUsage(folder: string, skip: readonly string[] = []): Promise<number> {
  const linked = new Set<string>();
  const waiting = [folder];
  let bytes = 0;
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    for (const name of await unlessGone(readdir(dir), [])) {
      if (dir === folder && skip.includes(name)) continue;
      const file = path.join(dir, name);
      const stat = await unlessGone(lstat(file), null);
      if (!stat) continue;
      if (stat.isDirectory()) waiting.push(file);
      else if (stat.nlink > 1) {
        const inode = `${stat.dev} ${stat.ino}`;
        if (linked.has(inode)) continue;
        linked.add(inode);
      }
      bytes += stat.blocks * blockBytes;
    }
  }
  return bytes;
}

async function unlessGone<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return otherwise;
    throw error;
  }
}
