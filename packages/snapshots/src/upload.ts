import { realpath } from 'node:fs/promises';
import { AppError, type AttemptProof, type Client, snapshotRoutes } from '@mycloud/shared';
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
import { Meter, type UploadProgress } from './progress.js';
import { manifestFile, readFiles } from './read-files.js';
import { withRetry } from './retry.js';
import { type Refusal, type ScannedFile, scanFolder } from './scan.js';
import { SlabPool } from './slab.js';
import { startHelpers } from './threads.js';

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

/**
 * Stores a folder as a snapshot, sending only chunks the owner lacks. Reads each file at most once, holds at most
 * a few slabs in memory, and leaves what it has sent stored when it is broken off.
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
  const done = new Map<string, ManifestFile>();
  const skipped = [...scan.refused];
  const root = await realpath(options.dir);
  const known = await takeCached(scan.files, options, sending, done, meter);
  const helpers = startHelpers(known.unread.length, known.unreadBytes);
  // One slab a helper to read into, one a pack under way, and one that waits in between.
  const slabs = new SlabPool(helpers.all.length + sending.concurrency + 1);
  const sender = new PackSender(sending, slabs);
  sender.know(known.stored);
  try {
    await readFiles(known.unread, helpers.all, {
      root,
      lenient,
      broken,
      signal,
      sender,
      slabs,
      meter,
      cache,
      onFile: (file) => done.set(file.path, file),
      onSkipped: (refusal) => skipped.push(refusal),
    });
    await sender.finish();
  } catch (error) {
    broken.abort(error);
    throw error;
  } finally {
    await sender.settled();
    await helpers.close();
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
  done: Map<string, ManifestFile>,
  meter: Meter,
): Promise<{ unread: ScannedFile[]; unreadBytes: number; stored: string[] }> {
  const cached = new Map<ScannedFile, Chunk[]>();
  const hashes = new Set<string>();
  for (const file of files) {
    const chunks = options.cache?.get(file.absolute, file.stamp);
    if (!chunks) continue;
    cached.set(file, chunks);
    for (const chunk of chunks) hashes.add(chunk.hash);
  }
  const missing = await askMissing(sending, [...hashes]);
  let unreadBytes = 0;
  const unread = files.filter((file) => {
    const chunks = cached.get(file);
    if (!chunks || chunks.some((chunk) => missing.has(chunk.hash))) {
      unreadBytes += file.stamp.size;
      return true;
    }
    done.set(file.path, manifestFile(file, chunks));
    meter.read(file.stamp.size, 1);
    return false;
  });
  return { unread, unreadBytes, stored: [...hashes].filter((hash) => !missing.has(hash)) };
}
