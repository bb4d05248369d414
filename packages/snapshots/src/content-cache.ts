import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@mycloud/shared';
import { copyFolder } from './copy-tree.js';
import { type DownloadProgress, fetchTree, writeTree } from './download.js';
import { scanFolder, scannedHash } from './scan.js';
import type { Tree as Manifest } from './tree.js';

export interface Mounted {
  /** The read-only tree. Bind it read-only or copy it; nothing may write to it. */
  readonly dir: string;
  /** Says that this use is over; a second call does nothing. */
  release(): Promise<void>;
}

export interface MountOptions {
  signal?: AbortSignal;
  /** Not called when the tree is there already. */
  onProgress?: (progress: DownloadProgress) => void;
}

/** Trees of snapshots by content, for a worker: fetched once, shared by all jobs that use them. */
export interface ContentCache {
  /**
   * Gives the tree of a snapshot, fetching it only when it isn't there: a second mount touches no network. Callers
   * at the same time share one fetch. A tree whose files are not what they were when it was fetched (a stat each, up to
   * `watchedEntries` of them) is fetched anew. The tree stays until every mount is released; a worker that adopts a job
   * after a restart mounts its inputs again before it takes other jobs.
   */
  mount(client: Client, snapshotId: string, hash: string, options?: MountOptions): Promise<Mounted>;
  /** Makes an independent, writable copy of a mounted tree (for /code, or an output restored). */
  copy(treeDir: string, target: string, signal?: AbortSignal): Promise<void>;
  /** Makes an independent, read-only copy: for runners without read-only mounts, where a job could write into the cache. */
  copyForJob(treeDir: string, target: string, signal?: AbortSignal): Promise<void>;
}

interface Tree {
  bytes: number;
  /** What a scan said when it was whole; empty for one with too many entries to look at each time. */
  seen: string;
  /** A look at it that is under way. */
  look?: Promise<string>;
  /** Where it lies once it is given up while somebody uses it. */
  aside?: string;
  users: number;
  /** ms since the epoch */
  usedAt: number;
}

/** Some 5 µs each, at every mount. */
const watchedEntries = 50_000;

export interface CacheOptions {
  maxBytes: number;
  /** Told of a tree that somebody has changed: it is fetched anew. */
  onChanged?: (hash: string) => void;
}

/**
 * Opens a cache below `dir`, which one process uses at a time: `trees/<hash>` beside `trees/<hash>.size`, and `tmp`
 * for what is being built or removed. Holds: a tree under its name is whole, since it was renamed there.
 *
 * @param options.maxBytes trees nobody uses are removed, least recently used first, to stay under it; trees in use
 *   are never removed, so that they may exceed it.
 */
export async function openContentCache(dir: string, options: CacheOptions): Promise<ContentCache> {
  const root = path.join(path.resolve(dir), 'trees');
  const tmp = path.join(path.resolve(dir), 'tmp');
  await rm(tmp, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  await mkdir(tmp, { recursive: true });
  const trees = await readTrees(root);
  /** Trees being built or removed. */
  const busy = new Map<string, Promise<void>>();
  const at = (hash: string): string => path.join(root, hash);

  /** @returns where it is then */
  async function setAside(hash: string): Promise<string> {
    const aside = path.join(tmp, randomUUID());
    await rename(at(hash), aside);
    await rm(`${at(hash)}.size`, { force: true });
    return aside;
  }

  async function remove(hash: string): Promise<void> {
    await rm(await setAside(hash), { recursive: true, force: true });
  }

  /** Whether a tree is what it was when it was whole, as far as size, times and inodes of its files tell. */
  async function isUnchanged(hash: string, tree: Tree): Promise<boolean> {
    if (!tree.seen) return true;
    tree.look ??= lookOf(at(hash)).finally(() => {
      tree.look = undefined;
    });
    return tree.seen === (await tree.look);
  }

  /** Takes a changed tree out of the way; who uses it keeps it. */
  async function giveUp(hash: string, tree: Tree): Promise<void> {
    if (trees.get(hash) !== tree) return;
    trees.delete(hash);
    options.onChanged?.(hash);
    const task = setAside(hash)
      .then((aside) => {
        tree.aside = aside;
      })
      .finally(() => busy.delete(hash));
    busy.set(hash, task);
    await task;
  }

  /** One use of a tree is over. */
  async function leave(tree: Tree): Promise<void> {
    tree.users -= 1;
    if (tree.users === 0 && tree.aside) await rm(tree.aside, { recursive: true, force: true });
  }

  /** Removes unused trees until `coming` more bytes fit, or none is left. */
  async function makeRoom(coming: number): Promise<void> {
    for (;;) {
      const total = [...trees.values()].reduce((sum, tree) => sum + tree.bytes, coming);
      if (total <= options.maxBytes) return;
      const unused = [...trees].filter(([, tree]) => tree.users === 0);
      const oldest = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
      if (!oldest) return;
      const [hash] = oldest;
      trees.delete(hash);
      const task = remove(hash).finally(() => busy.delete(hash));
      busy.set(hash, task);
      await task;
    }
  }

  async function build(
    client: Client,
    snapshotId: string,
    hash: string,
    mounting: MountOptions,
  ): Promise<void> {
    const tree = await fetchTree(client, snapshotId, hash, mounting.signal);
    const bytes = bytesOnDisk(tree);
    await makeRoom(bytes);
    const place = path.join(tmp, randomUUID());
    let seen: string;
    try {
      await writeTree(tree, {
        client,
        snapshotId,
        dir: place,
        readOnly: true,
        fresh: true,
        ...mounting,
      });
      seen = tree.count <= watchedEntries ? await lookOf(place) : '';
      await writeFile(`${at(hash)}.size`, `${bytes} ${seen}`);
      await rename(place, at(hash));
    } finally {
      await rm(place, { recursive: true, force: true });
    }
    trees.set(hash, { bytes, seen, users: 0, usedAt: Date.now() });
  }

  /** Finds or makes the tree, and counts one use of it in the same breath, so that it can't be removed in between. */
  async function use(
    client: Client,
    snapshotId: string,
    hash: string,
    mounting: MountOptions,
  ): Promise<Tree> {
    for (;;) {
      mounting.signal?.throwIfAborted();
      const tree = trees.get(hash);
      if (tree) {
        tree.users += 1;
        tree.usedAt = Date.now();
        if (await isUnchanged(hash, tree).catch(() => false)) return tree;
        await giveUp(hash, tree);
        await leave(tree);
        continue;
      }
      const running = busy.get(hash);
      if (running) {
        // Its failure is its caller's (who may merely have been stopped); this one then builds for itself.
        await running.catch(() => undefined);
        continue;
      }
      const task = build(client, snapshotId, hash, mounting).finally(() => busy.delete(hash));
      busy.set(hash, task);
      await task;
    }
  }

  return {
    async mount(client, snapshotId, hash, mounting = {}) {
      const tree = await use(client, snapshotId, hash, mounting);
      let released = false;
      const release = async (): Promise<void> => {
        if (released) return;
        released = true;
        await leave(tree);
        await makeRoom(0);
      };
      try {
        const touched = new Date(tree.usedAt);
        await utimes(`${at(hash)}.size`, touched, touched);
      } catch (error) {
        await release();
        throw error;
      }
      return { dir: at(hash), release };
    },
    copy: (treeDir, target, signal) => copyFolder(treeDir, target, { signal }),
    // Files of the cache are read-only, and so are their copies.
    copyForJob: (treeDir, target, signal) => copyFolder(treeDir, target, { keepModes: true, signal }),
  };
}

/** Finds the trees an earlier process left; what is not whole goes. */
async function readTrees(root: string): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  const names = new Set(await readdir(root));
  for (const name of names) {
    const hash = name.replace(/\.size$/, '');
    const size = path.join(root, `${hash}.size`);
    // One that says nothing after its bytes is of an earlier version: whatever was done to it since is not known.
    const [, bytes = '', seen = ''] = names.has(`${hash}.size`)
      ? (/^(\d+) (\w*)$/.exec(await readFile(size, 'utf8')) ?? [])
      : [];
    if (names.has(hash) && bytes) {
      trees.set(hash, { bytes: Number(bytes), seen, users: 0, usedAt: (await stat(size)).mtimeMs });
    } else {
      await rm(path.join(root, name), { recursive: true, force: true });
    }
  }
  return trees;
}

/** What the files of a tree look like, without reading them. */
const lookOf = async (dir: string): Promise<string> =>
  scannedHash((await scanFolder(dir, { lenient: true })).tree);

/** What a tree takes up: files in blocks of 4 KiB, and a block for everything that has a name. */
function bytesOnDisk(tree: Manifest): number {
  const block = 4096;
  let sum = tree.count * block;
  for (let index = 0; index < tree.count; index++) sum += Math.ceil(tree.size(index) / block) * block;
  return sum;
}
