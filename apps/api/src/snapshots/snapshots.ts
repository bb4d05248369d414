import { AppError, type Snapshot } from '@mycloud/shared';
import { type Tree, unpackTree } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { type SnapshotRow, snapshotColumns } from './access.js';
import { countStored } from './chunks.js';
import { needed } from './gc/needed.js';

const maxManifestBytes = 512 * 1024 * 1024;

export const viewSnapshot = ({ id, hash, files, bytes, storedBytes, createdAt }: SnapshotRow): Snapshot => ({
  id,
  hash,
  files,
  bytes: Number(bytes),
  storedBytes: Number(storedBytes),
  createdAt: createdAt.toISOString(),
});

/**
 * Commits a manifest: the same content of the same owner is the same snapshot.
 * @param packed gzipped manifest
 * @throws AppError bad_request for a manifest that is none, conflict while chunks are missing
 */
export async function createSnapshot(deps: Deps, ownerId: string, packed: Buffer): Promise<SnapshotRow> {
  const { tree, hash } = await unpackTree([packed], maxManifestBytes);
  const known = await revive(deps, ownerId, hash);
  if (known) {
    await requireChunks(deps, ownerId, tree);
    return known;
  }
  const storedBytes = await requireChunks(deps, ownerId, tree);
  // A key of its own: deleting a snapshot can't take the manifest of the same content made anew.
  const id = newId();
  const manifestKey = `manifests/${ownerId}/${id}.gz`;
  await deps.store.put(manifestKey, packed, packed.length);
  const made = await one<SnapshotRow>(
    deps.pool,
    `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes")
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("ownerId", hash) DO NOTHING RETURNING ${snapshotColumns}`,
    [id, ownerId, hash, manifestKey, tree.files, tree.bytes, storedBytes],
  );
  // Only now does the garbage collector see the snapshot; a chunk that it took before is missed here, and sent again.
  await requireChunks(deps, ownerId, tree);
  if (made) return made;
  await deps.store.delete(manifestKey);
  const twin = await revive(deps, ownerId, hash);
  if (!twin) throw new AppError('conflict', 'the snapshot was deleted meanwhile', { hint: 'Try again.' });
  return twin;
}

/** The owner's snapshot of this content, kept from now on though nothing may refer to it yet. */
const revive = (deps: Deps, ownerId: string, hash: string): Promise<SnapshotRow | undefined> =>
  one<SnapshotRow>(
    deps.pool,
    `UPDATE "Snapshot" SET "doomedAt" = NULL WHERE "ownerId" = $1 AND hash = $2 RETURNING ${snapshotColumns}`,
    [ownerId, hash],
  );

/** The owner's snapshot of this content while something refers to it: then it has all its chunks (gc/collect.ts). */
export const findKept = (deps: Deps, ownerId: string, hash: string): Promise<SnapshotRow | undefined> =>
  one<SnapshotRow>(
    deps.pool,
    `UPDATE "Snapshot" s SET "doomedAt" = NULL WHERE "ownerId" = $1 AND hash = $2 AND ${needed} RETURNING ${snapshotColumns}`,
    [ownerId, hash],
  );

/** @returns the bytes of all chunks, each counted once. @throws AppError conflict while some are missing */
async function requireChunks(deps: Deps, ownerId: string, { chunks }: Tree): Promise<number> {
  const missing = chunks.count - (await countStored(deps, ownerId, chunks));
  if (missing > 0) {
    throw new AppError('conflict', `${missing} chunks of this snapshot are not stored`, {
      hint: 'Upload again: only those are sent.',
    });
  }
  let bytes = 0;
  for (let id = 0; id < chunks.count; id++) bytes += chunks.size(id);
  return bytes;
}

/** @throws AppError internal when the store's manifest isn't the one the snapshot is named after */
export async function readManifest(
  deps: Deps,
  snapshot: Pick<SnapshotRow, 'id' | 'hash' | 'manifestKey'>,
): Promise<Tree> {
  const { tree, hash } = await unpackTree(await deps.store.get(snapshot.manifestKey), maxManifestBytes);
  if (hash !== snapshot.hash)
    throw new AppError('internal', `the manifest of snapshot ${snapshot.id} is damaged`);
  return tree;
}

/** Entries of all manifests kept: some 150 MB, however large the trees are that people look into. */
const cachedEntries = 1_000_000;

/** The manifests read last: a person who looks through a tree asks for the same one again and again. */
export function openManifests(deps: Deps) {
  const cache = new Map<string, Tree>();
  return async (snapshot: SnapshotRow): Promise<Tree> => {
    const tree = cache.get(snapshot.hash) ?? (await readManifest(deps, snapshot));
    // The order of a map is that of the last use.
    cache.delete(snapshot.hash);
    cache.set(snapshot.hash, tree);
    let entries = [...cache.values()].reduce((sum, { count }) => sum + count, 0);
    for (const [hash, { count }] of cache) {
      if (entries <= cachedEntries) break;
      cache.delete(hash);
      entries -= count;
    }
    return tree;
  };
}
