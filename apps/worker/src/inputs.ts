import { readdir, rename, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@mycloud/shared';
import type { ContentCache, Mounted } from '@mycloud/snapshots';
import type { AttemptFolder } from './attempt-folder.js';
import { isPassing, isStale } from './retry.js';
import type { JobDirs } from './runners/runner.js';

/** An input, the code or the output to be restored could not be brought; the message is shown to the person. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

interface Bringing {
  client: Client;
  cache: ContentCache;
  folder: AttemptFolder;
  signal: AbortSignal;
}

/** Mounts an attempt holds in the cache until it ends. */
export interface HeldMounts {
  mounts: JobDirs['mounts'];
  release(): Promise<void>;
}

async function mount(
  bringing: Bringing,
  what: string,
  ref: { snapshotId: string; snapshot: string },
): Promise<Mounted> {
  const { client, cache, signal } = bringing;
  try {
    return await cache.mount(client, ref.snapshotId, ref.snapshot, { signal });
  } catch (error) {
    const isDisk = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    if (signal.aborted || isDisk || isStale(error) || isPassing(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${what}: ${reason}`, { cause: error });
  }
}

/** Brings every mount of the assignment; as they are, or as copies where the runner can't protect them. */
export async function bringMounts(bringing: Bringing, asTheyAre: boolean): Promise<HeldMounts> {
  const { cache, folder, signal } = bringing;
  const held: Mounted[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map((one) => one.release()));
  };
  try {
    const mounts = await Promise.all(
      folder.state.assignment.mounts.map(async (wanted) => {
        const mounted = await mount(bringing, `/${wanted.name}`, wanted);
        held.push(mounted);
        if (asTheyAre) return { name: wanted.name, dir: mounted.dir };
        const dir = path.join(folder.inputsDir, wanted.name);
        await cache.copyForJob(mounted.dir, dir, signal);
        await mounted.release();
        return { name: wanted.name, dir };
      }),
    );
    return { mounts, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Copies the code, and the output of an earlier attempt, to where the job works on them. */
export async function bringWorkingFolders(bringing: Bringing): Promise<void> {
  const { code, restore } = bringing.folder.state.assignment;
  await Promise.all([
    code && copyInto(bringing, 'the code', code, bringing.folder.codeDir),
    restore && copyInto(bringing, 'the output of the attempt before', restore, bringing.folder.outputDir),
  ]);
}

async function copyInto(
  bringing: Bringing,
  what: string,
  ref: { snapshotId: string; snapshot: string },
  target: string,
): Promise<void> {
  const mounted = await mount(bringing, what, ref);
  try {
    const place = `${target}.copy`;
    await bringing.cache.copy(mounted.dir, place, bringing.signal);
    if ((await readdir(target)).length === 0) await rmdir(target);
    await rename(place, target);
  } finally {
    await mounted.release();
  }
}
