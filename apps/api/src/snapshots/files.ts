import { createHash } from 'node:crypto';
import { AppError, type FileEntry } from '@mycloud/shared';
import type { ManifestFile, Tree } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { locateChunks } from './chunks.js';

/** A path of a tree, without slashes around it. */
export const clean = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/** One level of a tree, folders first; a folder counts what is below it. @throws AppError not_found */
export function listFolder(tree: Tree, path: string): FileEntry[] {
  const folder = clean(path);
  const prefix = folder === '' ? '' : `${folder}/`;
  let found = folder === '';
  const items = new Map<string, FileEntry>();
  for (let index = 0; index < tree.count; index++) {
    const at = tree.path(index);
    if (at === folder && tree.isDir(index)) found = true;
    if (!at.startsWith(prefix) || at === folder) continue;
    const [name = '', ...below] = at.slice(prefix.length).split('/');
    const isFile = tree.isFile(index);
    const size = isFile ? tree.size(index) : 0;
    const item = items.get(name);
    if (below.length === 0) {
      const type = isFile ? 'file' : tree.isDir(index) ? 'dir' : 'symlink';
      items.set(name, { name, path: at, type, size, files: isFile ? 1 : 0 });
    } else if (item && isFile) {
      item.size += size;
      item.files += 1;
    }
  }
  if (!found) throw new AppError('not_found', `there is no folder ${folder} in this snapshot`);
  return [...items.values()].sort(
    (a, b) => Number(b.type === 'dir') - Number(a.type === 'dir') || (a.name < b.name ? -1 : 1),
  );
}

/** @throws AppError not_found, bad_request for a folder */
export function findFile(tree: Tree, path: string): ManifestFile {
  const wanted = clean(path);
  let index = 0;
  while (index < tree.count && tree.path(index) !== wanted) index += 1;
  const entry = index < tree.count ? tree.entry(index) : undefined;
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
