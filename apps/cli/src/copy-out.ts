import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { fetchTree, type Tree, writeTree } from '@mycloud/snapshots';
import type { Session } from './context.js';
import type { Source } from './sources.js';
import { withTransferBar } from './transfer.js';

/**
 * Copies one file or folder of a snapshot to a place here, as `cp -r` does: below the target where that is a folder (or
 * ends in a slash), else under the target's name.
 * @param wanted '' for all of it
 * @returns where it is now, and how many files it has
 * @throws AppError not_found when there is no such path; bad_request for a folder where only a file is wanted
 */
export async function copyOut(
  session: Session,
  source: Pick<Source, 'name' | 'snapshotId' | 'folder'>,
  wanted: string,
  target: string,
  { only }: { only?: 'file' } = {},
): Promise<{ at: string; files: number }> {
  const { client } = session;
  const { snapshotId } = source;
  const inside = wanted.replace(/^\/+|\/+$/g, '');
  const tree = await fetchTree(client, snapshotId);
  const kind = kindOf(tree, inside);
  if (!kind) throw new AppError('not_found', `there is no ${inside} in ${source.name}`);
  if (only && kind !== only)
    throw new AppError('bad_request', `${inside} is a folder of ${source.name}, not a file`);
  const below = (await isFolder(target)) || /[/\\]$/.test(target);
  const at = below ? path.join(target, path.posix.basename(inside) || source.folder) : target;
  if (kind === 'file' && (await isFolder(at)))
    throw new AppError('conflict', `${at} is a folder here, and a file of ${source.name}`);
  await mkdir(path.dirname(path.resolve(at)), { recursive: true });
  // Beside its place, so that what breaks off leaves nothing half there.
  const partial = await mkdtemp(path.join(path.dirname(path.resolve(at)), '.mycloud-partial-'));
  try {
    const select = (one: string) => inside === '' || one === inside || one.startsWith(`${inside}/`);
    const written = await withTransferBar((onProgress) =>
      writeTree(tree, { client, snapshotId, dir: partial, select, onProgress }),
    );
    const made = path.join(partial, inside);
    if (kind === 'dir') await mkdir(made, { recursive: true });
    if (kind === 'dir' && (await isFolder(at)))
      await cp(made, at, { recursive: true, verbatimSymlinks: true });
    else await rename(made, at);
    return { at, files: written.files };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function kindOf(tree: Tree, wanted: string): 'file' | 'dir' | undefined {
  if (wanted === '') return 'dir';
  for (let i = 0; i < tree.count; i++) if (tree.path(i) === wanted) return tree.isDir(i) ? 'dir' : 'file';
  return undefined;
}

const isFolder = async (place: string): Promise<boolean> =>
  stat(place).then(
    (found) => found.isDirectory(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
