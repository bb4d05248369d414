import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Entry, ManifestFile } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { readFile } from '../snapshots/files.js';

/**
 * The event files of a tree, and only they: TensorBoard's projector reads whatever file a `projector_config.pbtxt` of
 * the user's names, on this machine.
 */
export const eventFilesOf = (entries: Iterable<Entry>): ManifestFile[] =>
  [...entries].filter(
    (entry): entry is ManifestFile =>
      entry.type === 'file' && entry.size > 0 && path.posix.basename(entry.path).includes('tfevents'),
  );

/** The event files of one job, on the disk, for TensorBoard to follow as they grow. */
export class EventFolder {
  private readonly written = new Map<string, ManifestFile>();

  constructor(
    private readonly deps: Deps,
    private readonly dir: string,
  ) {}

  /** Bytes that are there. */
  get bytes(): number {
    return [...this.written.values()].reduce((sum, file) => sum + file.size, 0);
  }

  /** Folders that hold any: TensorBoard's runs. */
  get runs(): number {
    return new Set([...this.written.keys()].map((file) => path.posix.dirname(file))).size;
  }

  /** Makes the folder hold these files and no others. One that only grew is appended to, which TensorBoard notices. */
  async update(ownerId: string, files: readonly ManifestFile[]): Promise<void> {
    const wanted = new Set(files.map((file) => file.path));
    for (const gone of [...this.written.keys()].filter((name) => !wanted.has(name))) {
      await rm(path.join(this.dir, gone), { force: true });
      this.written.delete(gone);
    }
    for (const file of files) {
      const before = this.written.get(file.path);
      if (before && sameBytes(before, file) === before.size && before.size === file.size) continue;
      if (!(before && (await this.append(ownerId, before, file)))) await this.replace(ownerId, file);
      this.written.set(file.path, file);
    }
  }

  /** @returns false when what was there has changed, and the file has to be written anew */
  private async append(ownerId: string, before: ManifestFile, file: ManifestFile): Promise<boolean> {
    if (file.size < before.size) return false;
    const same = sameBytes(before, file);
    const handle = await open(path.join(this.dir, file.path), 'r+');
    try {
      let at = same;
      // The last chunk of what was there is cut elsewhere now; its bytes are most likely the same.
      for await (const bytes of readFile(this.deps, ownerId, file, same, file.size - 1)) {
        const known = Math.min(bytes.length, Math.max(0, before.size - at));
        if (known > 0) {
          const { buffer } = await handle.read(Buffer.alloc(known), 0, known, at);
          if (!buffer.equals(bytes.subarray(0, known))) return false;
        }
        if (bytes.length > known) await handle.write(bytes, known, bytes.length - known, at + known);
        at += bytes.length;
      }
      return true;
    } finally {
      await handle.close();
    }
  }

  private async replace(ownerId: string, file: ManifestFile): Promise<void> {
    const place = path.join(this.dir, file.path);
    await mkdir(path.dirname(place), { recursive: true });
    // TensorBoard takes no file of this name for events.
    const part = path.join(path.dirname(place), '.part');
    const handle = await open(part, 'w');
    await pipeline(
      readFile(this.deps, ownerId, file, 0, file.size - 1),
      handle.createWriteStream({ flush: false }),
    );
    await rename(part, place);
  }
}

/** Bytes at the beginning that two files have in common, by their chunks. */
function sameBytes(a: ManifestFile, b: ManifestFile): number {
  let bytes = 0;
  for (const [i, chunk] of a.chunks.entries()) {
    if (b.chunks[i]?.hash !== chunk.hash) break;
    bytes += chunk.size;
  }
  return bytes;
}
