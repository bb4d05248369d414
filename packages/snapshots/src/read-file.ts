import { closeSync, constants, fstatSync, open, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';
import { cutFile } from './chunker.js';
import type { HashCache } from './hash-cache.js';
import type { Chunk, ManifestFile } from './manifest.js';
import type { PackSender } from './pack-sender.js';
import type { Meter } from './progress.js';
import { type FileStamp, type Refusal, type ScannedFile, stampOf } from './scan.js';
import { quoted } from './tree-rules.js';

export interface Reading {
  /** The folder's real path. */
  root: string;
  lenient?: boolean;
  signal: AbortSignal;
  sender: PackSender;
  meter: Meter;
  cache?: HashCache;
}

const readTries = 3;
const openFile = promisify(open);
/** A file swapped since the scan for a link is not followed, for a pipe not waited for. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Reads a file and gives its chunks to the sender, again when it changes meanwhile. */
export async function readFile(file: ScannedFile, reading: Reading): Promise<ManifestFile | Refusal> {
  for (let attempt = 1; ; attempt += 1) {
    reading.signal.throwIfAborted();
    const readAt = Date.now();
    let result: { chunks: Chunk[]; stamp: FileStamp | undefined };
    try {
      result = await readOnce(file, reading);
    } catch (error) {
      const fault = faultOf(error);
      if (!fault) throw error;
      if (reading.lenient) return { path: file.path, reason: fault.reason };
      throw new AppError(fault.code, `${quoted(file.path)}: ${fault.reason}`, { cause: error });
    }
    const { chunks, stamp } = result;
    if (stamp || (reading.lenient && attempt >= readTries)) {
      if (stamp) reading.cache?.set(file.absolute, stamp, chunks, readAt);
      reading.meter.read(0, 1);
      return manifestFile(file, chunks);
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
    reading.meter.read(-chunks.reduce((sum, chunk) => sum + chunk.size, 0), 0);
    await sleep(50 * attempt, undefined, { signal: reading.signal });
  }
}

export function manifestFile(file: ScannedFile, chunks: Chunk[]): ManifestFile {
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
  return { path: file.path, type: 'file', mode: file.mode, size, chunks };
}

/** @returns the chunks, and the file's stamp when it was the same before and after. */
async function readOnce(
  file: ScannedFile,
  { root, lenient, sender, meter }: Reading,
): Promise<{ chunks: Chunk[]; stamp: FileStamp | undefined }> {
  // Opening and reading may wait for a disk and go to the thread pool; what asks about an open file doesn't wait,
  // and its way there and back would cost several times the call.
  const fd = await openFile(file.absolute, readFlags);
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw new SwappedError();
    // A job that still runs may turn a folder of its output into a link to somewhere it can't read itself.
    if (lenient) requirePlace(fd, `${root}/${file.path}`);
    const before = stampOf(stat);
    const chunks: Chunk[] = [];
    let length = 0;
    for await (const { hash, size, data } of cutFile(fd, before.size)) {
      chunks.push({ hash, size });
      length += size;
      meter.read(size, 0);
      await sender.add({ hash, size, data });
    }
    const after = stampOf(fstatSync(fd, { bigint: true }));
    const same =
      length === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
    return { chunks, stamp: same ? after : undefined };
  } finally {
    closeSync(fd);
  }
}

class SwappedError extends Error {}

/** @throws SwappedError when what was opened lies elsewhere than its name says; only Linux can tell. */
function requirePlace(fd: number, expected: string): void {
  if (process.platform !== 'linux') return;
  if (readlinkSync(`/proc/self/fd/${fd}`) !== expected) throw new SwappedError();
}

function faultOf(error: unknown): { code: 'conflict' | 'bad_request'; reason: string } | undefined {
  if (error instanceof SwappedError)
    return { code: 'conflict', reason: 'it was replaced while the folder was read' };
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  if (error.code === 'ENOENT')
    return { code: 'conflict', reason: 'it disappeared while the folder was read' };
  if (error.code === 'ELOOP')
    return { code: 'conflict', reason: 'it became a link while the folder was read' };
  return { code: 'bad_request', reason: `it can't be read (${String(error.code)})` };
}
