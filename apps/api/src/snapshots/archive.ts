import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mycloud/shared';
import type { Entry, ManifestFile, Tree } from '@mycloud/snapshots';
import { pack as openTar, type Pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import type { Deps } from '../deps.js';
import type { SnapshotRow } from './access.js';
import { clean, readFile } from './files.js';

/** The entries of one folder, or of all. @throws AppError not_found */
export function entriesBelow(tree: Tree, path: string): Iterable<Entry> {
  const folder = clean(path);
  if (folder === '') return tree;
  const below: Entry[] = [];
  for (let index = 0; index < tree.count; index++) {
    const at = tree.path(index);
    if (at === folder || at.startsWith(`${folder}/`)) below.push(tree.entry(index));
  }
  if (below.length === 0) throw new AppError('not_found', `there is no ${folder} in this snapshot`);
  return below;
}

/** A tree as one stream for a browser, made as it is read; a chunk that is damaged breaks it off. */
export function archive(
  deps: Deps,
  snapshot: SnapshotRow,
  entries: Iterable<Entry>,
  format: 'tar' | 'zip',
): Readable {
  const content = (file: ManifestFile) =>
    Readable.from(readFile(deps, snapshot.ownerId, file, 0, file.size - 1), { objectMode: false });
  return format === 'tar'
    ? tar(entries, snapshot.createdAt, content)
    : zip(entries, snapshot.createdAt, content);
}

type Content = (file: ManifestFile) => Readable;

function tar(entries: Iterable<Entry>, mtime: Date, content: Content): Readable {
  const packed = openTar();
  fillTar(packed, entries, mtime, content).then(
    () => packed.finalize(),
    (error: Error) => packed.destroy(error),
  );
  // It is a stream of another implementation, which Node reads as any other.
  return Readable.from(packed, { objectMode: false });
}

async function fillTar(packed: Pack, entries: Iterable<Entry>, mtime: Date, content: Content): Promise<void> {
  for (const entry of entries) {
    const { path: name } = entry;
    if (entry.type === 'dir') packed.entry({ name, type: 'directory', mode: entry.mode, mtime });
    else if (entry.type === 'symlink') packed.entry({ name, type: 'symlink', linkname: entry.target, mtime });
    else await pipeline(content(entry), packed.entry({ name, size: entry.size, mode: entry.mode, mtime }));
  }
}

/** Stored, not compressed: most of what is large here is compressed already, and speed is what is waited for. */
function zip(entries: Iterable<Entry>, mtime: Date, content: Content): Readable {
  const zipped = new ZipFile();
  const stream = Readable.from(zipped.outputStream, { objectMode: false });
  zipped.on('error', (error) => stream.destroy(error as Error));
  for (const entry of entries) {
    if (entry.type === 'dir') zipped.addEmptyDirectory(entry.path, { mtime, mode: 0o40000 | entry.mode });
    else if (entry.type === 'symlink') {
      zipped.addBuffer(Buffer.from(entry.target), entry.path, { mtime, mode: 0o120777, compress: false });
    } else {
      const { size, mode } = entry;
      const options = { mtime, mode: 0o100000 | mode, compress: false, size };
      zipped.addReadStreamLazy(entry.path, options, (give) => give(null, content(entry)));
    }
  }
  zipped.end();
  return stream;
}
