import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type AttemptProof, type Client, snapshotRoutes } from '@mycloud/shared';
import { cutFile } from './chunker.js';
import type { HashCache } from './hash-cache.js';
import {
  type Chunk,
  encodeManifest,
  type ManifestFile,
  manifestHash,
  manifestTotals,
  packManifest,
} from './manifest.js';
import { askMissing, PackSender, type SenderOptions } from './pack-sender.js';
import { eachLimit } from './pool.js';
import { Meter, type UploadProgress } from './progress.js';
import { withRetry } from './retry.js';
import { type FileStamp, type Refusal, type ScannedFile, scanFolder, stampOf } from './scan.js';
import { quoted } from './tree-rules.js';

export interface UploadOptions {
  client: Client;
  dir: string;
  /** For a worker: the attempt for whose owner it writes. */
  attempt?: AttemptProof;
  /** Honour ignore files (for code). */
  ignore?: boolean;
  /**
   * For a job's output: what can't be stored is left out and named in `skipped` instead of thrown; a file that is
   * being written all the while is stored as it was read.
   */
  lenient?: boolean;
  cache?: HashCache;
  onProgress?: (progress: UploadProgress) => void;
  signal?: AbortSignal;
  /** Packs sent at the same time, 4 unless told. */
  concurrency?: number;
}

export interface UploadResult {
  snapshotId: string;
  hash: string;
  files: number;
  bytes: number;
  /** Bytes of packs sent: 0 when the owner had everything. */
  sentBytes: number;
  newChunks: number;
  skipped: Refusal[];
}

/** Files read at the same time: enough to hide the latency of small ones, few enough to keep packs in order. */
const readers = 6;
const readTries = 3;

/**
 * Stores a folder as a snapshot, sending only chunks the owner lacks. Reads each file at most once, holds at most
 * a few packs in memory, and leaves what it has sent stored when it is broken off.
 *
 * @throws AppError bad_request for entries that can't be stored, conflict for a file that changes while it is read,
 *   unavailable when the server or store stays away, and what the server says (quota_exceeded, stale_fence, …).
 */
export async function uploadFolder(options: UploadOptions): Promise<UploadResult> {
  const { client, cache, lenient } = options;
  const meter = new Meter(options.onProgress);
  const scan = await scanFolder(options.dir, { ignore: options.ignore, lenient, signal: options.signal });
  meter.found(scan.files.length, scan.bytes);

  const broken = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, broken.signal]) : broken.signal;
  const sending: SenderOptions = {
    client,
    attempt: options.attempt,
    signal,
    concurrency: options.concurrency ?? 4,
    onSent: (bytes) => meter.sent(bytes),
  };
  const sender = new PackSender(sending);
  const done = new Map<string, ManifestFile>();
  const skipped = [...scan.refused];
  try {
    const unknown = await takeCached(scan.files, options, sending, sender, done, meter);
    await eachLimit(unknown, readers, async (file) => {
      const read = await readFile(file, { lenient, signal, sender, meter, cache });
      if ('reason' in read) skipped.push(read);
      else done.set(file.path, read);
    });
    await sender.finish();
  } catch (error) {
    broken.abort(error);
    throw error;
  } finally {
    await cache?.save();
  }

  meter.committing();
  const entries = [...scan.others, ...done.values()];
  const manifest = encodeManifest(entries);
  const packed = await packManifest(manifest);
  const query = options.attempt ?? {};
  const snapshot = await withRetry(async () => {
    const response = await client.open(snapshotRoutes.create, { query }, { rawBody: packed, signal });
    return snapshotRoutes.create.response.parse(await response.json());
  }, signal);
  const hash = manifestHash(manifest);
  if (snapshot.hash !== hash) {
    throw new AppError(
      'internal',
      `the server named the snapshot ${snapshot.hash}, its content says ${hash}`,
    );
  }
  meter.finished();
  const { sentBytes, newChunks } = sender;
  return { snapshotId: snapshot.id, hash, ...manifestTotals(entries), sentBytes, newChunks, skipped };
}

/** Takes from the hash cache what is there and stored; answers the files to be read. */
async function takeCached(
  files: ScannedFile[],
  options: UploadOptions,
  sending: SenderOptions,
  sender: PackSender,
  done: Map<string, ManifestFile>,
  meter: Meter,
): Promise<ScannedFile[]> {
  const cached = new Map<ScannedFile, Chunk[]>();
  const hashes = new Set<string>();
  for (const file of files) {
    const chunks = options.cache?.get(file.absolute, file.stamp);
    if (!chunks) continue;
    cached.set(file, chunks);
    for (const chunk of chunks) hashes.add(chunk.hash);
  }
  const missing = await askMissing(sending, [...hashes]);
  sender.know([...hashes].filter((hash) => !missing.has(hash)));
  return files.filter((file) => {
    const chunks = cached.get(file);
    if (!chunks || chunks.some((chunk) => missing.has(chunk.hash))) return true;
    done.set(file.path, manifestFile(file, chunks));
    meter.read(file.stamp.size, 1);
    return false;
  });
}

interface Reading {
  lenient?: boolean;
  signal: AbortSignal;
  sender: PackSender;
  meter: Meter;
  cache?: HashCache;
}

/** Reads a file and gives its chunks to the sender, again when it changes meanwhile. */
async function readFile(file: ScannedFile, reading: Reading): Promise<ManifestFile | Refusal> {
  for (let attempt = 1; ; attempt += 1) {
    reading.signal.throwIfAborted();
    const readAt = Date.now();
    let result: { chunks: Chunk[]; stamp: FileStamp | undefined };
    try {
      result = await readOnce(file, reading);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).syscall
        ? (error as NodeJS.ErrnoException).code
        : undefined;
      if (!code) throw error;
      const reason =
        code === 'ENOENT' ? 'it disappeared while the folder was read' : `it can't be read (${code})`;
      if (reading.lenient) return { path: file.path, reason };
      throw new AppError(code === 'ENOENT' ? 'conflict' : 'bad_request', `${quoted(file.path)}: ${reason}`, {
        cause: error,
      });
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

/** @returns the chunks, and the file's stamp when it was the same before and after. */
async function readOnce(
  file: ScannedFile,
  { sender, meter }: Reading,
): Promise<{ chunks: Chunk[]; stamp: FileStamp | undefined }> {
  // A file swapped since the scan for a link is not followed, for a pipe not waited for.
  const handle = await open(
    file.absolute,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const before = await stampNow(handle);
    const chunks: Chunk[] = [];
    let length = 0;
    for await (const { hash, size, data } of cutFile(handle, before.size)) {
      chunks.push({ hash, size });
      length += size;
      meter.read(size, 0);
      await sender.add({ hash, size, data });
    }
    const after = await stampNow(handle);
    const same =
      length === after.size &&
      before.size === after.size &&
      before.mtimeNs === after.mtimeNs &&
      before.ctimeNs === after.ctimeNs;
    return { chunks, stamp: same ? after : undefined };
  } finally {
    await handle.close();
  }
}

const stampNow = async (handle: FileHandle): Promise<FileStamp> =>
  stampOf(await handle.stat({ bigint: true }));

function manifestFile(file: ScannedFile, chunks: Chunk[]): ManifestFile {
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
  return { path: file.path, type: 'file', mode: file.mode, size, chunks };
}
