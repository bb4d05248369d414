import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import type { FileEnd, Filled } from './file-reader.js';
import type { HashCache } from './hash-cache.js';
import type { Chunk, ManifestFile } from './manifest.js';
import type { PackSender } from './pack-sender.js';
import { eachLimit } from './pool.js';
import type { Meter } from './progress.js';
import type { Refusal, ScannedFile } from './scan.js';
import { type SlabPool, slabBytes } from './slab.js';
import type { Helper } from './threads.js';
import { quoted } from './tree-rules.js';

export interface Reading {
  /** The folder's real path. */
  root: string;
  lenient?: boolean;
  /** Aborted by the first error, for the others to stop. */
  broken: AbortController;
  signal: AbortSignal;
  sender: PackSender;
  slabs: SlabPool;
  meter: Meter;
  cache?: HashCache;
  /** Given each file once, in no order. */
  onFile: (file: ManifestFile) => void;
  onSkipped: (skipped: Refusal) => void;
}

const readTries = 3;
const taskFiles = 4096;

/** Reads files by all helpers at once and gives their chunks to the sender; a file that changes meanwhile is read again. */
export async function readFiles(
  files: readonly ScannedFile[],
  helpers: readonly Helper[],
  reading: Reading,
): Promise<void> {
  const tasks = tasksOf(files);
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
function* tasksOf(files: readonly ScannedFile[]): Generator<ScannedFile[]> {
  let task: ScannedFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (task.length > 0 && (bytes + file.stamp.size > slabBytes || task.length >= taskFiles)) {
      yield task;
      task = [];
      bytes = 0;
    }
    task.push(file);
    bytes += file.stamp.size;
  }
  if (task.length > 0) yield task;
}

async function readTask(
  task: readonly ScannedFile[],
  helper: Helper,
  reading: Reading,
  attempt = 1,
): Promise<void> {
  const { root, lenient, signal, slabs, sender, meter } = reading;
  const readAt = Date.now();
  const chunks = task.map((): Chunk[] => []);
  const changed: ScannedFile[] = [];
  await helper.begin(
    task.map(({ absolute, path }) => ({ absolute, expected: lenient ? `${root}/${path}` : undefined })),
  );
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
    for (const piece of filled.pieces) {
      const file = task[piece.file]!;
      const list = chunks[piece.file]!;
      for (const { hash, size } of piece.chunks) {
        list.push({ hash, size });
        meter.read(size, 0);
      }
      if (piece.end && !ended(file, list, piece.end, { attempt, readAt, reading })) changed.push(file);
    }
    sender.add(
      slab,
      filled.pieces.flatMap((piece) => piece.chunks),
      helper,
    );
  }
  if (changed.length === 0) return;
  await sleep(50 * attempt, undefined, { signal });
  await readTask(changed, helper, reading, attempt + 1);
}

/** Takes down a file's end. @returns false when it must be read again */
function ended(
  file: ScannedFile,
  chunks: Chunk[],
  end: FileEnd,
  { attempt, readAt, reading }: { attempt: number; readAt: number; reading: Reading },
): boolean {
  const { lenient, cache, meter } = reading;
  if ('fault' in end) {
    const { code, reason } = end.fault;
    if (!lenient)
      throw new AppError(code, `${quoted(file.path)}: ${reason}`, { details: { path: file.path } });
    reading.onSkipped({ path: file.path, reason });
    return true;
  }
  if ('stamp' in end || (lenient && attempt >= readTries)) {
    if ('stamp' in end) cache?.set(file.absolute, end.stamp, chunks, readAt);
    meter.read(0, 1);
    reading.onFile(manifestFile(file, chunks));
    return true;
  }
  if (attempt >= readTries) {
    throw new AppError(
      'conflict',
      `${quoted(file.path)} changes while it is read (tried ${readTries} times)`,
      {
        hint: 'Wait until the program that writes it has ended, then upload again: what was sent is kept.',
        details: { path: file.path },
      },
    );
  }
  meter.read(-chunks.reduce((sum, chunk) => sum + chunk.size, 0), 0);
  return false;
}

export function manifestFile(file: ScannedFile, chunks: Chunk[]): ManifestFile {
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
  return { path: file.path, type: 'file', mode: file.mode, size, chunks };
}
