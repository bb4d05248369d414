import { AppError, type Client, snapshotRoutes } from '@mycloud/shared';
import { type AlreadyWritten, findAlreadyWritten } from './already-written.js';
import { fetchChunks, parallelRanges } from './chunk-source.js';
import type { ContentCache } from './content-cache.js';
import { copyTree } from './copy-tree.js';
import type { Entry } from './manifest.js';
import { unpackTree } from './manifest-stream.js';
import { withRetry } from './retry.js';
import { SlabPool } from './slab.js';
import { type Helpers, startHelpers } from './threads.js';
import type { Tree } from './tree.js';
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

/** What was written. */
export interface Written {
  files: number;
  /** Paths of these files. */
  paths(): Generator<string>;
}

/** A place where a chunk goes. */
interface Target {
  file: number;
  offset: number;
  size: number;
}

/**
 * Fetches a snapshot's manifest and checks it against the snapshot's name.
 * @throws AppError as the server says it; internal when the manifest isn't the one named; bad_request when it is hostile.
 */
export async function fetchTree(
  client: Client,
  snapshotId: string,
  expectedHash?: string,
  signal?: AbortSignal,
): Promise<Tree> {
  const params = { id: snapshotId };
  const expected =
    expectedHash ??
    (await withRetry(() => client.call(snapshotRoutes.get, { params }, { signal }), signal)).hash;
  const { tree, hash } = await withRetry(async () => {
    const { body } = await client.open(snapshotRoutes.manifest, { params }, { signal });
    return await unpackTree((body ?? []) as AsyncIterable<Uint8Array>);
  }, signal);
  if (hash !== expected) {
    throw new AppError(
      'internal',
      `the manifest of snapshot ${snapshotId} is damaged: its name is ${expected}, its content ${hash}`,
    );
  }
  return tree;
}

/** As fetchTree, for few enough entries to have an object each. */
export const fetchManifest = async (...args: Parameters<typeof fetchTree>): Promise<Entry[]> => [
  ...(await fetchTree(...args)),
];

/**
 * Writes a snapshot's tree into a folder, every chunk verified, every path checked, nothing written through a link.
 * What the folder holds of it already, from a download that broke off, is checked and not fetched again.
 * @throws AppError naming file and pack when the store gives wrong bytes; conflict when something is in the way.
 */
export async function materialize(options: MaterializeOptions): Promise<Written> {
  const tree = await fetchTree(options.client, options.snapshotId, options.hash, options.signal);
  return await writeTree(tree, options);
}

/** As `materialize`, for a manifest already fetched. */
export async function writeTree(tree: Tree, options: MaterializeOptions): Promise<Written> {
  const { cache, dir, readOnly, fresh, signal, hash } = options;
  const chosen = choose(tree, options.select);
  if (cache && hash) {
    const mounted = await cache.mount(options.client, options.snapshotId, hash, { signal });
    try {
      await copyTree(tree, chosen.indexes(), mounted.dir, dir, { readOnly, signal });
    } finally {
      await mounted.release();
    }
    return chosen;
  }
  const progress = { files: 0, totalFiles: chosen.files, bytes: 0, totalBytes: chosen.bytes };
  const writer = await TreeWriter.open(dir, tree, { readOnly, fresh, key: options.snapshotId });
  const helpers = startHelpers(chosen.files, chosen.bytes);
  const slabs = new SlabPool(helpers.all.length + parallelRanges);
  const written = (bytes: number, files: number): void => {
    progress.bytes += bytes;
    progress.files += files;
    options.onProgress?.({ ...progress });
  };
  try {
    await writer.refuseTwins(chosen.all());
    for (const index of chosen.indexes()) {
      if (tree.isDir(index)) writer.folder(tree.path(index));
      else if (tree.isFile(index) && tree.size(index) === 0) {
        writer.parentOf(tree.path(index));
        writer.empty(index);
        written(0, 1);
      }
    }
    const there = writer.foundEmpty
      ? undefined
      : await findAlreadyWritten(chosen.filled(), tree, writer, helpers);
    takeDown(there, tree, writer, written);
    for (const batch of batches(chosen.filled(), tree, there)) {
      await writeBatch(batch, { options, tree, writer, helpers, slabs, written });
    }
    for (const index of chosen.indexes()) {
      const target = tree.target(index);
      if (target !== undefined) writer.link(tree.path(index), target);
    }
  } catch (error) {
    throw writer.explain(error);
  } finally {
    await helpers.close();
    await writer.close();
  }
  return chosen;
}

/** What of a tree is to be written: all of it, or the files and links that are selected. */
function choose(tree: Tree, select: ((path: string) => boolean) | undefined) {
  const isChosen = select && new Uint8Array(tree.count);
  let { files, bytes } = tree;
  if (isChosen) {
    files = 0;
    bytes = 0;
    for (let index = 0; index < tree.count; index++) {
      if (tree.isDir(index) || !select(tree.path(index))) continue;
      isChosen[index] = 1;
      if (tree.isFile(index)) files += 1;
      bytes += tree.size(index);
    }
  }
  function* indexes(): Generator<number> {
    for (let index = 0; index < tree.count; index++) if (!isChosen || isChosen[index] === 1) yield index;
  }
  function* filled(): Generator<number> {
    for (const index of indexes()) if (tree.isFile(index) && tree.size(index) > 0) yield index;
  }
  function* all(): Generator<string> {
    for (const index of indexes()) yield tree.path(index);
  }
  function* paths(): Generator<string> {
    for (const index of indexes()) if (tree.isFile(index)) yield tree.path(index);
  }
  return { files, bytes, indexes, filled, all, paths };
}

/** Counts what was found as written. */
function takeDown(
  there: AlreadyWritten | undefined,
  tree: Tree,
  writer: TreeWriter,
  written: (bytes: number, files: number) => void,
): void {
  for (const file of there?.whole ?? []) written(tree.size(file), 1);
  for (const [file, positions] of there?.pieces ?? []) {
    for (const position of positions) {
      const size = tree.chunks.size(tree.chunkId(file, position));
      written(size, writer.written(file, size) ? 1 : 0);
    }
  }
}

/** Different chunks asked for at once: enough for long ranges, few enough that a million files don't need much memory. */
const chunksPerBatch = 4096;

/** Groups the places of chunks so that a group asks for at most so many different chunks. */
function* batches(
  files: Iterable<number>,
  tree: Tree,
  there: AlreadyWritten | undefined,
): Generator<Map<string, Target[]>> {
  let batch = new Map<string, Target[]>();
  for (const file of files) {
    if (there?.whole.has(file)) continue;
    const known = there?.pieces.get(file);
    let offset = 0;
    for (let position = 0; position < tree.chunkCount(file); position++) {
      const id = tree.chunkId(file, position);
      const target = { file, offset, size: tree.chunks.size(id) };
      offset += target.size;
      if (known?.has(position)) continue;
      const hash = tree.chunks.hex(id);
      const targets = batch.get(hash);
      if (targets) targets.push(target);
      else batch.set(hash, [target]);
      if (batch.size < chunksPerBatch) continue;
      yield batch;
      batch = new Map();
    }
  }
  if (batch.size > 0) yield batch;
}

interface Writing {
  options: MaterializeOptions;
  tree: Tree;
  writer: TreeWriter;
  helpers: Helpers;
  slabs: SlabPool;
  written: (bytes: number, files: number) => void;
}

async function writeBatch(batch: Map<string, Target[]>, writing: Writing): Promise<void> {
  const { client, snapshotId, signal } = writing.options;
  const { tree, writer, helpers, slabs, written } = writing;
  for (const targets of batch.values()) for (const { file } of targets) writer.parentOf(tree.path(file));
  await fetchChunks({
    client,
    snapshotId,
    hashes: [...batch.keys()],
    signal,
    slabs,
    helpers,
    fileOf(hash) {
      const first = batch.get(hash)?.[0];
      return JSON.stringify(first ? tree.path(first.file) : '');
    },
    placesOf: (hash) => (batch.get(hash) ?? []).map(({ file, offset }) => writer.placeOf(file, offset)),
    onWritten(hash) {
      for (const { file, size } of batch.get(hash) ?? []) written(size, writer.written(file, size) ? 1 : 0);
    },
  });
}
