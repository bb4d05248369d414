import { AppError, type Snapshot } from '@mycloud/shared';
import { decodeManifest, type Entry, manifestHash, manifestTotals, unpackManifest } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import type { SnapshotRow } from './access.js';
import { missingChunks } from './packs.js';

const maxManifestBytes = 512 * 1024 * 1024;
const hashesPerQuery = 50_000;

export const viewSnapshot = ({ id, hash, files, bytes, createdAt }: SnapshotRow): Snapshot => ({
  id,
  hash,
  files,
  bytes: Number(bytes),
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
  const known = await findByHash(deps, ownerId, hash);
  if (known) return known;
  await requireChunks(deps, ownerId, entries);
  const manifestKey = `manifests/${ownerId}/${hash}.gz`;
  await deps.store.put(manifestKey, packed, packed.length);
  const totals = manifestTotals(entries);
  const made = await one<SnapshotRow>(
    deps.pool,
    `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT ("ownerId", hash) DO NOTHING RETURNING id, "ownerId", hash, "manifestKey", files, bytes, "createdAt"`,
    [newId(), ownerId, hash, manifestKey, totals.files, totals.bytes],
  );
  const snapshot = made ?? (await findByHash(deps, ownerId, hash));
  if (!snapshot) throw new AppError('conflict', 'the snapshot was deleted meanwhile', { hint: 'Try again.' });
  return snapshot;
}

const findByHash = (deps: Deps, ownerId: string, hash: string): Promise<SnapshotRow | undefined> =>
  one<SnapshotRow>(
    deps.pool,
    'SELECT id, "ownerId", hash, "manifestKey", files, bytes, "createdAt" FROM "Snapshot" WHERE "ownerId" = $1 AND hash = $2',
    [ownerId, hash],
  );

async function requireChunks(deps: Deps, ownerId: string, entries: Entry[]): Promise<void> {
  const hashes = new Set<string>();
  for (const entry of entries)
    if (entry.type === 'file') for (const chunk of entry.chunks) hashes.add(chunk.hash);
  const all = [...hashes];
  let missing = 0;
  for (let i = 0; i < all.length; i += hashesPerQuery) {
    missing += (await missingChunks(deps, ownerId, all.slice(i, i + hashesPerQuery))).length;
  }
  if (missing > 0) {
    throw new AppError('conflict', `${missing} chunks of this snapshot are not stored`, {
      hint: 'Upload again: only those are sent.',
    });
  }
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
    const parts: Buffer[] = [];
    for await (const part of await deps.store.get(snapshot.manifestKey)) parts.push(part as Buffer);
    const bytes = await unpackManifest(Buffer.concat(parts), maxManifestBytes);
    if (manifestHash(bytes) !== snapshot.hash)
      throw new AppError('internal', `the manifest of snapshot ${snapshot.id} is damaged`);
    const entries = decodeManifest(bytes);
    cache.set(snapshot.hash, entries);
    const oldest = cache.keys().next().value;
    if (cache.size > cachedManifests && oldest) cache.delete(oldest);
    return entries;
  };
}
