import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Chunk } from './manifest.js';
import type { FileStamp } from './stamp.js';

/** Remembers how files were cut, so that an unchanged file costs a stat instead of a read. */
export interface HashCache {
  /** @returns the file's chunks when it is surely still the file they were made of. */
  get(file: string, stamp: FileStamp): Chunk[] | undefined;
  /** @param readAt when reading began, ms since the epoch. */
  set(file: string, stamp: FileStamp, chunks: Chunk[], readAt: number): void;
  /** Writes the cache, when anything changed. Never throws for a folder that can't be written: it is only a cache. */
  save(): Promise<void>;
}

/**
 * A file changed twice within the clock's tick keeps its stamp: what was written shortly before it was read is not
 * trusted. Two seconds cover the coarsest file systems (FAT), as in git's "racy" rule.
 */
const racyMs = 2000;
/** Files remembered; past that the ones not seen longest go. */
const maxFiles = 500_000;
const header = 'mycloud-hash-cache 1';

type Row = [
  file: string,
  size: number,
  mtime: string,
  ctime: string,
  inode: string,
  chunks: [string, number][],
];

/** Opens the cache at `file`; one that is missing, broken or of another version counts as empty. */
export async function openHashCache(file: string): Promise<HashCache> {
  const rows = await readRows(file);
  let dirty = false;
  return {
    get(name, stamp) {
      const row = rows.get(name);
      if (!row || row[1] !== stamp.size || row[2] !== String(stamp.mtimeNs)) return undefined;
      if (row[3] !== String(stamp.ctimeNs) || row[4] !== String(stamp.inode)) return undefined;
      // Map order is the order of last use.
      rows.delete(name);
      rows.set(name, row);
      return row[5].map(([hash, size]) => ({ hash, size }));
    },
    set(name, stamp, chunks, readAt) {
      const touchedMs = Math.max(Number(stamp.mtimeNs / 1_000_000n), Number(stamp.ctimeNs / 1_000_000n));
      if (rows.delete(name)) dirty = true;
      if (touchedMs > readAt - racyMs) return;
      const cut = chunks.map(({ hash, size }): [string, number] => [hash, size]);
      rows.set(name, [
        name,
        stamp.size,
        String(stamp.mtimeNs),
        String(stamp.ctimeNs),
        String(stamp.inode),
        cut,
      ]);
      dirty = true;
    },
    async save() {
      if (!dirty) return;
      for (const name of rows.keys()) {
        if (rows.size <= maxFiles) break;
        rows.delete(name);
      }
      dirty = !(await writeRows(file, rows));
    },
  };
}

/** Header, one JSON line a file, and a last line with the SHA-256 of all before it. */
async function readRows(file: string): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  const bytes = await readFile(file).catch(() => undefined);
  if (!bytes) return rows;
  const footer = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  if (bytes.toString('utf8', footer) !== `${sha256(bytes.subarray(0, footer))}\n`) return rows;
  let start = bytes.indexOf(0x0a) + 1;
  if (bytes.toString('utf8', 0, start) !== `${header}\n`) return rows;
  while (start < footer) {
    const end = bytes.indexOf(0x0a, start);
    // The checksum holds, so these are the lines we wrote.
    const row = JSON.parse(bytes.toString('utf8', start, end)) as Row;
    rows.set(row[0], row);
    start = end + 1;
  }
  return rows;
}

async function writeRows(file: string, rows: Map<string, Row>): Promise<boolean> {
  const lines: Buffer[] = [Buffer.from(`${header}\n`)];
  for (const row of rows.values()) lines.push(Buffer.from(`${JSON.stringify(row)}\n`));
  const body = Buffer.concat(lines);
  const partial = `${file}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(partial, Buffer.concat([body, Buffer.from(`${sha256(body)}\n`)]), { mode: 0o600 });
    await rename(partial, file);
    return true;
  } catch {
    // A full disk or a read-only home costs the next upload its speed, and this one nothing.
    await rm(partial, { force: true });
    return false;
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
