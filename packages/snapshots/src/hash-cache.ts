import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { FileStamp } from './stamp.js';
import type { Tree } from './tree.js';

/** What a folder was when it was uploaded last: if a scan still gives the same, so does an upload. */
export interface Remembered {
  /** SHA-256 of what the scan said. */
  scanned: string;
  /** The snapshot's name. */
  hash: string;
}

/** Remembers how the files of folders were cut, so that an unchanged file costs a stat instead of a read. */
export interface HashCache {
  /** Costs one small read, however many files the folder has. @param root the folder's real path */
  remembered(root: string): Remembered | undefined;
  /** Gives the files of a tree that are surely still what they were their chunks. @returns which: 1 by index */
  recall(root: string, tree: Tree): Uint8Array;
  /**
   * Keeps what is known of a folder, in place of what was. Never throws for a folder that can't be written: it is only a cache.
   * @param trusted which files of the tree have chunks that a later upload may take: 1 by index
   */
  keep(root: string, tree: Tree, trusted: Uint8Array, remembered: Remembered | undefined): void;
}

/**
 * A file changed twice within the clock's tick keeps its stamp: what was written shortly before it was read is not
 * trusted. Two seconds cover the coarsest file systems (FAT), as in git's "racy" rule.
 * @param readAt when reading began, ms since the epoch
 */
export const isTrusted = ({ mtimeMs, ctimeMs }: FileStamp, readAt: number): boolean =>
  Math.max(mtimeMs, ctimeMs) <= readAt - racyMs;

const racyMs = 2000;
/** All folders together; past that those not uploaded longest go. */
const maxBytes = 512 * 1024 * 1024;
const magic = 'mycloud-folder 2';
const headBytes = 512;
const hashBytes = 32;
/** Of a row, between its path and its chunks. */
const fixedBytes = 20;
const chunkBytes = hashBytes + 4;

/** The cache below `dir`, a file for each folder; one that is missing, broken or of another version counts as empty. */
export function openHashCache(dir: string): HashCache {
  const fileOf = (root: string): string => path.join(dir, sha256(root).slice(0, 32));
  return {
    remembered: (root) => readHead(fileOf(root))?.remembered,
    recall(root, tree) {
      const trusted = new Uint8Array(tree.count);
      const bytes = readRows(fileOf(root));
      if (bytes) takeRows(bytes, tree, trusted);
      return trusted;
    },
    keep(root, tree, trusted, remembered) {
      const file = fileOf(root);
      const partial = `${file}.${randomUUID()}`;
      try {
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        writeRows(partial, tree, trusted, remembered);
        renameSync(partial, file);
        prune(dir);
      } catch {
        // A full disk or a read-only home costs the next upload its speed, and this one nothing.
        rmSync(partial, { force: true });
      }
    },
  };
}

/** One line of JSON padded to 512 bytes: what the rest must be, and itself guarded by a hash. */
interface Head {
  magic: string;
  rows: string;
  remembered?: Remembered;
}

function readHead(file: string): Head | undefined {
  const bytes = Buffer.alloc(headBytes);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, bytes, 0, bytes.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  return parseHead(bytes);
}

function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf(0x0a);
  const [guard, text] = [bytes.toString('utf8', 0, 64), bytes.toString('utf8', 64, end)];
  if (end < 0 || sha256(text) !== guard) return undefined;
  // The guard holds, so these are words that we wrote.
  const head = JSON.parse(text) as Head;
  return head.magic === magic ? head : undefined;
}

function readRows(file: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const rows = bytes.subarray(headBytes);
  return parseHead(bytes)?.rows === sha256(rows) ? rows : undefined;
}

/** Rows are in the order of a manifest, as the tree is: one walk through both. */
function takeRows(rows: Buffer, tree: Tree, trusted: Uint8Array): void {
  let at = 0;
  for (let file = 0; file < tree.count; file++) {
    if (!tree.isFile(file)) continue;
    const name = Buffer.from(tree.path(file));
    let order = 1;
    while (at < rows.length) {
      const length = rows.readUInt16LE(at);
      order = rows.compare(name, 0, name.length, at + 2, at + 2 + length);
      if (order >= 0) break;
      at = afterRow(rows, at);
    }
    if (order !== 0) continue;
    const row = at + 2 + name.length;
    const now = tree.stamp(file);
    const same =
      rows.readDoubleLE(row) === now.size &&
      rows.readUInt32LE(row + 8) === now.low &&
      rows.readUInt32LE(row + 12) === now.high;
    if (same) {
      const ids: number[] = [];
      const end = afterRow(rows, at);
      for (let chunk = row + fixedBytes; chunk < end; chunk += chunkBytes) {
        ids.push(tree.chunks.intern(rows, chunk, rows.readUInt32LE(chunk + hashBytes)));
      }
      tree.setChunks(file, ids);
      trusted[file] = 1;
    }
    at = afterRow(rows, at);
  }
}

/** A row: length of the path (2), path, size (8), low and high of the stamp and number of chunks (4 each), each hash and size (36). */
function afterRow(rows: Buffer, at: number): number {
  const counted = at + 2 + rows.readUInt16LE(at) + fixedBytes - 4;
  return counted + 4 + rows.readUInt32LE(counted) * chunkBytes;
}

function writeRows(file: string, tree: Tree, trusted: Uint8Array, remembered: Remembered | undefined): void {
  const fd = openSync(file, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let position = headBytes;
    let pieces: Buffer[] = [];
    let gathered = 0;
    const flush = (): void => {
      const bytes = Buffer.concat(pieces);
      hash.update(bytes);
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, position + done);
      position += bytes.length;
      pieces = [];
      gathered = 0;
    };
    for (let index = 0; index < tree.count; index++) {
      if (trusted[index] !== 1) continue;
      const row = rowOf(tree, index);
      pieces.push(row);
      gathered += row.length;
      if (gathered >= 1 << 20) flush();
    }
    flush();
    const text = JSON.stringify({ magic, rows: hash.digest('hex'), remembered } satisfies Head);
    const head = Buffer.alloc(headBytes, ' ');
    head.write(`${sha256(text)}${text}\n`);
    writeSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
}

function rowOf(tree: Tree, index: number): Buffer {
  const name = Buffer.from(tree.path(index));
  const count = tree.chunkCount(index);
  const row = Buffer.allocUnsafe(2 + name.length + fixedBytes + count * chunkBytes);
  row.writeUInt16LE(name.length, 0);
  name.copy(row, 2);
  let at = 2 + name.length;
  const { size, low, high } = tree.stamp(index);
  at = row.writeDoubleLE(size, at);
  for (const value of [low, high, count]) at = row.writeUInt32LE(value, at);
  for (let i = 0; i < count; i++) {
    const id = tree.chunkId(index, i);
    row.set(tree.chunks.hash(id), at);
    at = row.writeUInt32LE(tree.chunks.size(id), at + hashBytes);
  }
  return row;
}

function prune(dir: string): void {
  const files = readdirSync(dir).map((name) => {
    const file = path.join(dir, name);
    const { size, mtimeMs } = statSync(file);
    return { file, size, mtimeMs };
  });
  let total = 0;
  for (const { file, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    total += size;
    if (total > maxBytes) rmSync(file, { force: true });
  }
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
