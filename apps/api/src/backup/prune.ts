import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { backupNames, backupsFolder, objectFile, readObjects } from './format.js';

/** Removes all but the newest backups, and the objects that none of those kept names. @returns the names of those removed */
export async function forgetOldBackups(dir: string, keep: number): Promise<string[]> {
  const names = await backupNames(dir);
  const removed = names.slice(0, Math.max(0, names.length - keep));
  if (removed.length === 0) return [];
  const kept = new Set<string>();
  for (const name of names.slice(removed.length)) {
    for (const { key } of await readObjects(path.join(backupsFolder(dir), name))) kept.add(key);
  }
  // The backups first: one without its objects would be taken for whole.
  for (const name of removed) await rm(path.join(backupsFolder(dir), name), { recursive: true, force: true });
  const objects = objectFile(dir, '');
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    if (!kept.has(path.relative(objects, file).split(path.sep).join('/'))) await rm(file, { force: true });
  }
  return removed;
}
