import { AppError } from '@mycloud/shared';
import { encodeManifest, packManifest, type Tree } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { ownRight, reaches } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import type { SnapshotRow } from './access.js';
import { entriesBelow } from './archive.js';
import { createSnapshot } from './snapshots.js';

/**
 * Makes a folder of a snapshot one of its own, of the same owner, whose chunks it shares.
 * @throws AppError not_found, forbidden for another's, bad_request for a file or for links that leave the folder
 */
export async function folderSnapshot(
  deps: Deps,
  caller: UserPrincipal,
  snapshot: SnapshotRow,
  tree: Tree,
  path: string,
): Promise<SnapshotRow> {
  if (!reaches(ownRight(caller, snapshot.ownerId), 'write') && caller.role !== 'admin') {
    throw new AppError('forbidden', 'these files are stored for another user', {
      hint: 'Download them and upload them as yours.',
    });
  }
  const [folder, ...below] = entriesBelow(tree, path);
  if (folder?.type !== 'dir') throw new AppError('bad_request', `${path} is not a folder`);
  const inside = below.map((entry) => ({ ...entry, path: entry.path.slice(folder.path.length + 1) }));
  const packed = await packManifest(encodeManifest(inside));
  return createSnapshot(deps, snapshot.ownerId, Buffer.from(packed));
}
