import { createHash } from 'node:crypto';
import { AppError, type FileEntry } from '@mycloud/shared';
import type { Entry, ManifestFile } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { locateChunks } from './chunks.js';

const clean = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/** One level of a tree, folders first; a folder counts what is below it. @throws AppError not_found */
export function listFolder(entries: Entry[], path: string): FileEntry[] {
  const folder = clean(path);
  const prefix = folder === '' ? '' : `${folder}/`;
  if (folder !== '' && !entries.some((entry) => entry.path === folder && entry.type === 'dir')) {
    throw new AppError('not_found', `there is no folder ${folder} in this snapshot`);
  }
  const items = new Map<string, FileEntry>();
  for (const entry of entries) {
    if (!entry.path.startsWith(prefix) || entry.path === folder) continue;
    const [name = '', ...below] = entry.path.slice(prefix.length).split('/');
    const size = entry.type === 'file' ? entry.size : 0;
    const item = items.get(name);
    if (below.length === 0)
      items.set(name, {
        name,
        path: entry.path,
        type: entry.type,
        size,
        files: entry.type === 'file' ? 1 : 0,
      });
    else if (item && entry.type === 'file') {
      item.size += size;
      item.files += 1;
    }
  }
  return [...items.values()].sort(
    (a, b) => Number(b.type === 'dir') - Number(a.type === 'dir') || (a.name < b.name ? -1 : 1),
  );
}

/** @throws AppError not_found, bad_request for a folder */
export function findFile(entries: Entry[], path: string): ManifestFile {
  const wanted = clean(path);
  const entry = entries.find((candidate) => candidate.path === wanted);
  if (!entry) throw new AppError('not_found', `there is no file ${wanted} in this snapshot`);
  if (entry.type !== 'file')
    throw new AppError(
      'bad_request',
      `${wanted} is a ${entry.type === 'dir' ? 'folder' : 'link'}, not a file`,
    );
  return entry;
}

/** The bytes start..end (inclusive) of a file, chunk by chunk out of its packs, each verified. */
export async function* readFile(
  deps: Deps,
  ownerId: string,
  file: ManifestFile,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const needed: { hash: string; from: number; to: number }[] = [];
  let offset = 0;
  for (const { hash, size } of file.chunks) {
    if (offset + size > start && offset <= end) {
      needed.push({ hash, from: Math.max(0, start - offset), to: Math.min(size, end + 1 - offset) });
    }
    offset += size;
  }
  const places = new Map(
    (await locateChunks(deps, ownerId, [...new Set(needed.map((chunk) => chunk.hash))])).map((chunk) => [
      chunk.hash,
      chunk,
    ]),
  );
  for (const { hash, from, to } of needed) {
    const place = places.get(hash)!;
    const parts: Buffer[] = [];
    const range = { start: place.offset, end: place.offset + place.size - 1 };
    for await (const part of await deps.store.get(place.key, range)) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    if (createHash('sha256').update(bytes).digest('hex') !== hash) {
      throw new AppError('internal', `a chunk of ${file.path} is damaged in the store`);
    }
    yield bytes.subarray(from, to);
  }
}
