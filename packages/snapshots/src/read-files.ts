import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import { type Filled, PieceEnd, type ReadFault } from './file-reader.js';
import type { PackSender } from './pack-sender.js';
import { eachLimit } from './pool.js';
import type { Meter } from './progress.js';
import type { Refusal } from './scan.js';
import { type SlabPool, slabBytes } from './slab.js';
import type { FileStamp } from './stamp.js';
import type { Helper } from './threads.js';
import type { Tree } from './tree.js';
import { quoted } from './tree-rules.js';

export interface Reading {
  /** The folder's real path. */
  root: string;
  /** Its files get their chunks here; those that can't be read are left out, where that is allowed. */
  tree: Tree;
  lenient?: boolean;
  /** Aborted by the first error, for the others to stop. */
  broken: AbortController;
  signal: AbortSignal;
  sender: PackSender;
  slabs: SlabPool;
  meter: Meter;
  /** Told of each file that was read unchanged. @param readAt when reading began, ms since the epoch */
  onRead: (file: number, stamp: FileStamp, readAt: number) => void;
  onSkipped: (skipped: Refusal) => void;
}

const readTries = 3;
const taskFiles = 8192;

/** Reads files by all helpers at once and gives their chunks to the sender; a file that changes meanwhile is read again. */
export async function readFiles(
  files: Iterable<number>,
  helpers: readonly Helper[],
  reading: Reading,
): Promise<void> {
  const tasks = tasksOf(files, reading.tree);
  await eachLimit(helpers, helpers.length, async (helper) => {
    try {
      for (const task of tasks) await readTask(task, helper, reading);
    } catch (error) {
      reading.broken.abort(error);
      throw error;
    }
  });
}

/** Neighbours that fill about a slab are read together. */
function* tasksOf(files: Iterable<number>, tree: Tree): Generator<number[]> {
  let task: number[] = [];
  let bytes = 0;
  for (const file of files) {
    const size = tree.size(file);
    if (task.length > 0 && (bytes + size > slabBytes || task.length >= taskFiles)) {
      yield task;
      task = [];
      bytes = 0;
    }
    task.push(file);
    bytes += size;
  }
  if (task.length > 0) yield task;
}

async function readTask(
  task: readonly number[],
  helper: Helper,
  reading: Reading,
  attempt = 1,
): Promise<void> {
  const { root, tree, lenient, signal, slabs, sender, meter } = reading;
  const readAt = Date.now();
  const changed: number[] = [];
  const paths = task.map((file) => tree.path(file).replaceAll('/', path.sep));
  await helper.begin({ root, paths, guarded: lenient === true });
  let chunks: number[] = [];
  for (let done = false; !done; ) {
    const slab = await slabs.take();
    let filled: Filled;
    try {
      signal.throwIfAborted();
      sender.check();
      filled = await helper.fill(slab);
    } catch (error) {
      slabs.give(slab);
      throw error;
    }
    done = filled.done;
    const ids = Array.from(filled.sizes, (size, i) => tree.chunks.intern(filled.hashes, i * 32, size));
    let next = 0;
    for (const [piece, place] of filled.files.entries()) {
      const file = task[place]!;
      const end = next + filled.pieceChunks[piece]!;
      for (; next < end; next++) {
        chunks.push(ids[next]!);
        meter.read(filled.sizes[next]!, 0);
      }
      if (filled.ends[piece] === PieceEnd.goesOn) continue;
      if (!ended({ file, chunks, piece, filled }, { attempt, readAt, reading })) changed.push(file);
      chunks = [];
    }
    sender.add(slab, ids, filled.crc32, helper);
  }
  if (changed.length === 0) return;
  await sleep(50 * attempt, undefined, { signal });
  await readTask(changed, helper, reading, attempt + 1);
}

/** Takes down a file's end. @returns false when it must be read again */
function ended(
  { file, chunks, piece, filled }: { file: number; chunks: number[]; piece: number; filled: Filled },
  { attempt, readAt, reading }: { attempt: number; readAt: number; reading: Reading },
): boolean {
  const { tree, lenient, meter } = reading;
  const fault = filled.faults.get(piece);
  if (fault) {
    leaveOut(file, fault, reading);
    return true;
  }
  const size = chunks.reduce((sum, id) => sum + tree.chunks.size(id), 0);
  const unchanged = filled.ends[piece] === PieceEnd.unchanged;
  if (unchanged || (lenient && attempt >= readTries)) {
    const [, mtimeMs = 0, ctimeMs = 0, inode = 0] = filled.stamps.subarray(piece * 4, piece * 4 + 4);
    const stamp = { size, mtimeMs, ctimeMs, inode };
    tree.setStamp(file, stamp);
    tree.setChunks(file, chunks);
    if (unchanged) reading.onRead(file, stamp, readAt);
    meter.read(0, 1);
    return true;
  }
  if (attempt >= readTries) {
    const name = tree.path(file);
    throw new AppError('conflict', `${quoted(name)} changes while it is read (tried ${readTries} times)`, {
      hint: 'Wait until the program that writes it has ended, then upload again: what was sent is kept.',
      details: { path: name },
    });
  }
  meter.read(-size, 0);
  return false;
}

function leaveOut(file: number, { code, reason }: ReadFault, { tree, lenient, onSkipped }: Reading): void {
  const name = tree.path(file);
  if (!lenient) throw new AppError(code, `${quoted(name)}: ${reason}`, { details: { path: name } });
  onSkipped({ path: name, reason });
  tree.leaveOut(file);
}
