import { realpath } from 'node:fs/promises';
import {
  AppError,
  type AttemptProof,
  type Client,
  maxHashesPerCall,
  type Snapshot,
  snapshotRoutes,
} from '@mycloud/shared';
import { type HashCache, isTrusted, type Remembered } from './hash-cache.js';
import { packTree, treeHash } from './manifest-stream.js';
import { askMissing, PackSender, type PutPack, type SenderOptions } from './pack-sender.js';
import { Meter, type UploadProgress } from './progress.js';
import { readFiles } from './read-files.js';
import { withRetry } from './retry.js';
import { type Refusal, scanFolder, scannedHash } from './scan.js';
import { SlabPool } from './slab.js';
import { startHelpers } from './threads.js';
import type { Tree } from './tree.js';

export interface UploadOptions {
  client: Client;
  dir: string;
  /** For a worker: the attempt for whose owner it writes. */
  attempt?: AttemptProof;
  /** The team it is stored for; the caller himself unless said. */
  owner?: string;
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
  /** Packs sent at the same time; unless told 6, or 2 where files are so small that the server is what they wait for. */
  concurrency?: number;
  /** In the server itself: how a pack gets into its store, which needs no URL. */
  put?: PutPack;
}

/** On average: a pack then holds hundreds of chunks, or thousands. */
const smallBytes = 16 * 1024;

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
 * a few slabs and a hundred bytes a file in memory, and leaves what it has sent stored when it is broken off.
 *
 * @throws AppError bad_request for entries that can't be stored, conflict for a file that changes while it is read,
 *   unavailable when the server or store stays away, and what the server says (quota_exceeded, stale_fence, …).
 */
export async function uploadFolder(options: UploadOptions): Promise<UploadResult> {
  const { client, cache, lenient } = options;
  const meter = new Meter(options.onProgress);
  const { tree, refused } = await scanFolder(options.dir, {
    ignore: options.ignore,
    lenient,
    signal: options.signal,
  });
  meter.found(tree.files, tree.bytes);
  const root = await realpath(options.dir);
  const unchanged = await findUnchanged(root, tree, options);
  if (unchanged) {
    meter.read(tree.bytes, tree.files);
    meter.finished();
    const { id: snapshotId, hash, files, bytes } = unchanged;
    return { snapshotId, hash, files, bytes, sentBytes: 0, newChunks: 0, skipped: refused };
  }

  const isSmall = tree.bytes / tree.files < smallBytes;
  const broken = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, broken.signal]) : broken.signal;
  const sending: SenderOptions = {
    client,
    attempt: options.attempt,
    owner: options.owner,
    signal,
    concurrency: options.concurrency ?? (isSmall ? 2 : 6),
    onSent: (bytes) => meter.sent(bytes),
    put: options.put,
  };
  const skipped = [...refused];
  const trusted = cache?.recall(root, tree) ?? new Uint8Array(tree.count);
  const missing = await missingOf(tree, sending);
  const unread = unreadOf(tree, trusted, missing);
  meter.read(tree.bytes - unread.bytes, tree.files - unread.files);
  const helpers = startHelpers(unread.files, unread.bytes, isSmall ? 1 : undefined);
  // One slab a helper to read into, and one a pack under way.
  const slabs = new SlabPool(helpers.all.length + sending.concurrency);
  const sender = new PackSender(sending, slabs, tree.chunks);
  try {
    await readFiles(unread.indexes(), helpers.all, {
      root,
      tree,
      lenient,
      broken,
      signal,
      sender,
      slabs,
      meter,
      onRead(file, stamp, readAt) {
        trusted[file] = isTrusted(stamp, readAt) ? 1 : 0;
      },
      onSkipped: (refusal) => skipped.push(refusal),
    });
    await sender.finish();
  } catch (error) {
    broken.abort(error);
    cache?.keep(root, tree, trusted, undefined);
    throw error;
  } finally {
    await sender.settled();
    await helpers.close();
  }

  meter.committing();
  const hash = await treeHash(tree);
  cache?.keep(root, tree, trusted, rememberedOf(tree, trusted, hash));
  const query = { ...options.attempt, owner: options.owner };
  const snapshot = await withRetry(async () => {
    const response = await client.open(snapshotRoutes.create, { query }, { rawBody: packTree(tree), signal });
    return snapshotRoutes.create.response.parse(await response.json());
  }, signal);
  if (snapshot.hash !== hash) {
    throw new AppError(
      'internal',
      `the server named the snapshot ${snapshot.hash}, its content says ${hash}`,
    );
  }
  meter.finished();
  const { files, bytes } = tree;
  const { sentBytes, newChunks } = sender;
  return { snapshotId: snapshot.id, hash, files, bytes, sentBytes, newChunks, skipped };
}

/** Nothing changed since the last upload of this folder: its snapshot, if something on the server still keeps it. */
async function findUnchanged(root: string, tree: Tree, options: UploadOptions): Promise<Snapshot | null> {
  const { client, cache, attempt, owner, signal } = options;
  const last = cache?.remembered(root);
  if (!last || last.scanned !== scannedHash(tree)) return null;
  const body = { hash: last.hash, attempt, owner };
  const { snapshot } = await withRetry(() => client.call(snapshotRoutes.find, { body }, { signal }), signal);
  return snapshot;
}

/** What a later scan must say for this to be the folder's snapshot; undefined when a file is too young to be sure. */
function rememberedOf(tree: Tree, trusted: Uint8Array, hash: string): Remembered | undefined {
  for (let index = 0; index < tree.count; index++) {
    if (tree.isFile(index) && trusted[index] !== 1) return undefined;
  }
  return { scanned: scannedHash(tree), hash };
}

/** Asks for the chunks that the cache gave; marks those that are stored. @returns whether any is missing */
async function missingOf(tree: Tree, sending: SenderOptions): Promise<boolean> {
  const { chunks } = tree;
  let complete = true;
  for (let from = 0; from < chunks.count; from += maxHashesPerCall) {
    const ids = Array.from({ length: Math.min(maxHashesPerCall, chunks.count - from) }, (_, i) => from + i);
    const missing = await askMissing(
      sending,
      ids.map((id) => chunks.hex(id)),
    );
    if (missing.size > 0) complete = false;
    for (const id of ids) if (missing.size === 0 || !missing.has(chunks.hex(id))) chunks.mark(id);
  }
  return !complete;
}

/** The files that must be read: the cache doesn't know them, or the server has lost a chunk of them. */
function unreadOf(tree: Tree, trusted: Uint8Array, someMissing: boolean) {
  const isRead = (file: number): boolean => {
    if (!tree.isFile(file) || trusted[file] !== 1) return false;
    if (!someMissing) return true;
    for (let i = 0; i < tree.chunkCount(file); i++)
      if (!tree.chunks.marked(tree.chunkId(file, i))) return false;
    return true;
  };
  const unread = new Uint8Array(tree.count);
  let [files, bytes] = [0, 0];
  for (let index = 0; index < tree.count; index++) {
    if (!tree.isFile(index) || isRead(index)) continue;
    unread[index] = 1;
    files += 1;
    bytes += tree.size(index);
  }
  function* indexes(): Generator<number> {
    for (const [index, flag] of unread.entries()) if (flag === 1) yield index;
  }
  return { files, bytes, indexes };
}
