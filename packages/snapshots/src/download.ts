import { AppError, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import { type AlreadyWritten, findAlreadyWritten } from './already-written.js';
import { fetchChunks, parallelRanges } from './chunk-source.js';
import type { ContentCache } from './content-cache.js';
import { copyTree } from './copy-tree.js';
import {
  decodeManifest,
  type Entry,
  type ManifestFile,
  manifestHash,
  manifestTotals,
  unpackManifest,
} from './manifest.js';
import { eachLimit } from './pool.js';
import { withRetry } from './retry.js';
import { SlabPool } from './slab.js';
import { type Helpers, startHelpers } from './threads.js';
import { TreeWriter } from './tree-writer.js';

export interface DownloadProgress {
  files: number;
  totalFiles: number;
  bytes: number;
  totalBytes: number;
}

export interface MaterializeOptions {
  client: Client;
  snapshotId: string;
  /** The snapshot's name; asked of the server when not given. */
  hash?: string;
  /** Made when it isn't there; what it holds already stays, except for the paths that are written. */
  dir: string;
  /** Takes the tree from this cache (fetching it into the cache first) instead of fetching it for this folder alone. */
  cache?: ContentCache;
  /** Which files and links to write; all unless given. */
  select?: (path: string) => boolean;
  onProgress?: (progress: DownloadProgress) => void;
  signal?: AbortSignal;
  /** Files get mode 0444 or 0555. */
  readOnly?: boolean;
  /** The folder is new and nobody looks into it before it is whole. */
  fresh?: boolean;
}

/** A place where a chunk goes. */
interface Target {
  file: ManifestFile;
  offset: number;
  size: number;
}

const parallel = 16;

/**
 * Fetches a snapshot's manifest and checks it against the snapshot's name.
 * @throws AppError as the server says it; internal when the manifest isn't the one named; bad_request when it is hostile.
 */
export async function fetchManifest(
  client: Client,
  snapshotId: string,
  expectedHash?: string,
  signal?: AbortSignal,
): Promise<Entry[]> {
  const params = { id: snapshotId };
  const expected =
    expectedHash ??
    (await withRetry(() => client.call(snapshotRoutes.get, { params }, { signal }), signal)).hash;
  const bytes = await withRetry(async () => {
    const response = await client.open(snapshotRoutes.manifest, { params }, { signal });
    return await unpackManifest(new Uint8Array(await response.arrayBuffer()));
  }, signal);
  const hash = manifestHash(bytes);
  if (hash !== expected) {
    throw new AppError(
      'internal',
      `the manifest of snapshot ${snapshotId} is damaged: its name is ${expected}, its content ${hash}`,
    );
  }
  return decodeManifest(bytes);
}

/**
 * Writes a snapshot's tree into a folder, every chunk verified, every path checked, nothing written through a link.
 * What the folder holds of it already, from a download that broke off, is checked and not fetched again.
 * @returns the entries written.
 * @throws AppError naming file and pack when the store gives wrong bytes; conflict when something is in the way.
 */
export async function materialize(options: MaterializeOptions): Promise<Entry[]> {
  const entries = await fetchManifest(options.client, options.snapshotId, options.hash, options.signal);
  return await writeEntries(entries, options);
}

/** As `materialize`, for a manifest already fetched. */
export async function writeEntries(entries: readonly Entry[], options: MaterializeOptions): Promise<Entry[]> {
  const { select, cache, dir, readOnly, fresh, signal, hash } = options;
  const chosen = entries.filter((entry) => !select || (entry.type !== 'dir' && select(entry.path)));
  if (cache && hash) {
    const mounted = await cache.mount(options.client, options.snapshotId, hash, { signal });
    try {
      await copyTree(chosen, mounted.dir, dir, { readOnly, signal });
    } finally {
      await mounted.release();
    }
    return chosen;
  }
  const totals = manifestTotals(chosen);
  const progress: DownloadProgress = {
    files: 0,
    totalFiles: totals.files,
    bytes: 0,
    totalBytes: totals.bytes,
  };
  const writer = await TreeWriter.open(dir, { readOnly, fresh, key: options.snapshotId });
  const helpers = startHelpers(totals.files, totals.bytes);
  const slabs = new SlabPool(helpers.all.length + parallelRanges);
  const written = (bytes: number, files: number): void => {
    progress.bytes += bytes;
    progress.files += files;
    options.onProgress?.({ ...progress });
  };
  try {
    await writer.refuseTwins(chosen.map((entry) => entry.path));
    for (const entry of chosen) if (entry.type === 'dir') await writer.folder(entry.path);
    const files = chosen.filter((entry) => entry.type === 'file');
    const empty = files.filter((file) => file.size === 0);
    const filled = files.filter((file) => file.size > 0);
    await eachLimit(empty, parallel, async (file) => {
      await writer.parentOf(file.path);
      await writer.empty(file);
      written(0, 1);
    });
    const there = fresh ? undefined : await findAlreadyWritten(filled, writer, helpers);
    for (const file of there?.whole ?? []) written(file.size, 1);
    const { left, isThere } = await leftOf(filled, there, writer, written);
    for (const batch of batches(left, isThere)) {
      await writeBatch(batch, { options, writer, helpers, slabs, written });
    }
    for (const entry of chosen) if (entry.type === 'symlink') await writer.link(entry.path, entry.target);
  } catch (error) {
    throw await writer.explain(error);
  } finally {
    await helpers.close();
    await writer.close();
  }
  return chosen;
}

/** What is still to be fetched; pieces found count as written. */
async function leftOf(
  files: readonly ManifestFile[],
  there: AlreadyWritten | undefined,
  writer: TreeWriter,
  written: (bytes: number, files: number) => void,
) {
  for (const [file, offsets] of there?.pieces ?? []) {
    let offset = 0;
    for (const { size } of file.chunks) {
      if (offsets.has(offset)) written(size, (await writer.written(file, size)) ? 1 : 0);
      offset += size;
    }
  }
  return {
    left: files.filter((file) => !there?.whole.has(file)),
    isThere: (file: ManifestFile, offset: number) => there?.pieces.get(file)?.has(offset) ?? false,
  };
}

/** Groups the places of chunks so that a group asks for at most one call's worth of different chunks. */
function* batches(
  files: readonly ManifestFile[],
  isThere: (file: ManifestFile, offset: number) => boolean,
): Generator<Map<string, Target[]>> {
  let batch = new Map<string, Target[]>();
  for (const file of files) {
    let offset = 0;
    for (const { hash, size } of file.chunks) {
      const target = { file, offset, size };
      offset += size;
      if (isThere(file, target.offset)) continue;
      const targets = batch.get(hash);
      if (targets) targets.push(target);
      else batch.set(hash, [target]);
      if (batch.size < maxHashesPerCall) continue;
      yield batch;
      batch = new Map();
    }
  }
  if (batch.size > 0) yield batch;
}

interface Writing {
  options: MaterializeOptions;
  writer: TreeWriter;
  helpers: Helpers;
  slabs: SlabPool;
  written: (bytes: number, files: number) => void;
}

async function writeBatch(batch: Map<string, Target[]>, writing: Writing): Promise<void> {
  const { client, snapshotId, signal } = writing.options;
  const { writer, helpers, slabs, written } = writing;
  for (const targets of batch.values()) for (const { file } of targets) await writer.parentOf(file.path);
  await fetchChunks({
    client,
    snapshotId,
    hashes: [...batch.keys()],
    signal,
    slabs,
    helpers,
    fileOf: (hash) => JSON.stringify(batch.get(hash)?.[0]?.file.path ?? ''),
    placesOf: (hash) => (batch.get(hash) ?? []).map(({ file, offset }) => writer.placeOf(file, offset)),
    onWritten: async (hash) => {
      for (const { file, size } of batch.get(hash) ?? []) {
        written(size, (await writer.written(file, size)) ? 1 : 0);
      }
    },
  });
}
