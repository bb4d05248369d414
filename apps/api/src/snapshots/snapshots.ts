import { buffer } from 'node:stream/consumers';
import { AppError, type Snapshot } from '@mycloud/shared';
import { decodeManifest, type Entry, manifestHash, manifestTotals, unpackManifest } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { type SnapshotRow, snapshotColumns } from './access.js';
import { missingChunks } from './chunks.js';

const maxManifestBytes = 512 * 1024 * 1024;
const hashesPerQuery = 50_000;

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
  const bytes = await unpackManifest(packed, maxManifestBytes);
  const entries = decodeManifest(bytes);
  const hash = manifestHash(bytes);
  const known = await revive(deps, ownerId, hash);
  if (known) {
    await requireChunks(deps, ownerId, entries);
    return known;
  }
  const storedBytes = await requireChunks(deps, ownerId, entries);
  // A key of its own: deleting a snapshot can't take the manifest of the same content made anew.
  const id = newId();
  const manifestKey = `manifests/${ownerId}/${id}.gz`;
  await deps.store.put(manifestKey, packed, packed.length);
  const totals = manifestTotals(entries);
  const made = await one<SnapshotRow>(
    deps.pool,
    `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes")
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("ownerId", hash) DO NOTHING RETURNING ${snapshotColumns}`,
    [id, ownerId, hash, manifestKey, totals.files, totals.bytes, storedBytes],
  );
  // Only now does the garbage collector see the snapshot; a chunk that it took before is missed here, and sent again.
  await requireChunks(deps, ownerId, entries);
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

/** @returns the bytes of all chunks, each counted once. @throws AppError conflict while some are missing */
async function requireChunks(deps: Deps, ownerId: string, entries: Entry[]): Promise<number> {
  const sizes = new Map<string, number>();
  for (const entry of entries)
    if (entry.type === 'file') for (const chunk of entry.chunks) sizes.set(chunk.hash, chunk.size);
  const all = [...sizes.keys()];
  let missing = 0;
  for (let i = 0; i < all.length; i += hashesPerQuery) {
    missing += (await missingChunks(deps, ownerId, all.slice(i, i + hashesPerQuery))).length;
  }
  if (missing > 0) {
    throw new AppError('conflict', `${missing} chunks of this snapshot are not stored`, {
      hint: 'Upload again: only those are sent.',
    });
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** @throws AppError internal when the store's manifest isn't the one the snapshot is named after */
export async function readManifest(
  deps: Deps,
  snapshot: Pick<SnapshotRow, 'id' | 'hash' | 'manifestKey'>,
): Promise<Entry[]> {
  const packed = await buffer(await deps.store.get(snapshot.manifestKey));
  const bytes = await unpackManifest(packed, maxManifestBytes);
  if (manifestHash(bytes) !== snapshot.hash)
    throw new AppError('internal', `the manifest of snapshot ${snapshot.id} is damaged`);
  return decodeManifest(bytes);
}

/** The manifests read last, decoded: a person who looks through a tree asks for the same one again and again. */
export function openManifests(deps: Deps) {
  const cache = new Map<string, Entry[]>();
  const cachedManifests = 8;
  return async (snapshot: SnapshotRow): Promise<Entry[]> => {
    const known = cache.get(snapshot.hash);
    if (known) {
      cache.delete(snapshot.hash);
      cache.set(snapshot.hash, known);
      return known;
    }
    const entries = await readManifest(deps, snapshot);
    cache.set(snapshot.hash, entries);
    const oldest = cache.keys().next().value;
    if (cache.size > cachedManifests && oldest) cache.delete(oldest);
    return entries;
  };
}
