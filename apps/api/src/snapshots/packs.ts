import { AppError, type RouteOutput, type snapshotRoutes } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one, transaction } from '../jobs/sql.js';
import { type Checksum, openSum } from '../store/checksum.js';
import { missingChunks, toBytes } from './chunks.js';
import { requireRoom, uploadSeconds } from './quota.js';

export const packKey = (ownerId: string, id: string): string => `packs/${ownerId}/${id}`;

interface AnnouncedChunk {
  hash: string;
  offset: number;
  size: number;
}

/**
 * Announces a pack, unless the owner has all its chunks already; its key is its own, so that no two uploads write one object.
 * @param onlyWhole announce it only when he has none of them
 * @throws AppError bad_request for chunks that overlap or leave it, quota_exceeded
 */
export async function createPack(
  deps: Deps,
  ownerId: string,
  pack: { checksum: Checksum; size: number; chunks: AnnouncedChunk[]; onlyWhole?: boolean },
): Promise<RouteOutput<typeof snapshotRoutes.createPack>> {
  let end = 0;
  for (const chunk of [...pack.chunks].sort((a, b) => a.offset - b.offset)) {
    if (chunk.offset < end || chunk.offset + chunk.size > pack.size) {
      throw new AppError(
        'bad_request',
        `the chunk ${chunk.hash.slice(0, 12)} overlaps another or leaves its pack`,
      );
    }
    end = chunk.offset + chunk.size;
  }
  const hashes = pack.chunks.map((chunk) => chunk.hash);
  const missing = await missingChunks(deps, ownerId, hashes);
  const isWhole = missing.length === new Set(hashes).size;
  if (missing.length === 0 || (pack.onlyWhole && !isWhole)) return { id: null, upload: null, missing };
  await requireRoom(deps, deps.pool, ownerId, pack.size, { announced: true });
  const id = newId();
  const key = packKey(ownerId, id);
  const announced = pack.chunks.map(({ hash, offset, size }) => [hash, offset, size]);
  await deps.pool.query(
    'INSERT INTO "Pack" (id, "ownerId", key, checksum, size, announced) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, ownerId, key, pack.checksum, pack.size, JSON.stringify(announced)],
  );
  const what = { size: pack.size, checksum: pack.checksum };
  return { id, upload: await deps.store.signPut(key, what, uploadSeconds), missing: [] };
}

interface PackRow {
  key: string;
  size: number;
  checksum: Checksum;
  committed: boolean;
  announced: [hash: string, offset: number, size: number][];
}

/**
 * Makes a pack's chunks count as stored, once its bytes are proven to be those announced. Said again it changes nothing.
 * @throws AppError not_found, bad_request for other bytes, quota_exceeded
 */
export async function commitPack(deps: Deps, ownerId: string, id: string): Promise<void> {
  const pack = await one<PackRow>(
    deps.pool,
    'SELECT key, size, checksum, committed, announced FROM "Pack" WHERE id = $1 AND "ownerId" = $2',
    [id, ownerId],
  );
  if (!pack) throw new AppError('not_found', `there is no pack ${id} of yours`);
  if (pack.committed) return;
  await proveBytes(deps, pack);
  const chunks = pack.announced;
  await transaction(deps.pool, async (sql) => {
    const { rowCount } = await sql.query(
      'UPDATE "Pack" SET committed = true, announced = NULL WHERE id = $1 AND NOT committed',
      [id],
    );
    if (!rowCount) {
      // Committed meanwhile, or given up because it took too long.
      if (await one(sql, 'SELECT 1 FROM "Pack" WHERE id = $1', [id])) return;
      throw new AppError('not_found', `the pack ${id} was given up`, { hint: 'Send it as a new pack.' });
    }
    await requireRoom(deps, sql, ownerId, 0, { announced: false });
    await sql.query(
      `INSERT INTO "Chunk" ("ownerId", hash, "packId", "offset", size)
       SELECT $1, * FROM unnest($2::bytea[], $3::uuid[], $4::int[], $5::int[]) AS c(hash) ORDER BY c.hash
       ON CONFLICT ("ownerId", hash) DO UPDATE SET "doomedAt" = NULL`,
      [
        ownerId,
        toBytes(chunks.map((c) => c[0])),
        chunks.map(() => id),
        chunks.map((c) => c[1]),
        chunks.map((c) => c[2]),
      ],
    );
  });
}

/** The directory store checked the bytes as they came; a bucket may say that it did; otherwise they are read. */
async function proveBytes(deps: Deps, pack: PackRow): Promise<void> {
  const info = await deps.store.stat(pack.key);
  if (!info)
    throw new AppError('bad_request', 'the bytes of this pack have not come', { hint: 'PUT them first.' });
  const wrong = () =>
    new AppError('bad_request', 'the pack holds other bytes than were announced', {
      hint: 'Send it again as a new pack.',
    });
  if (info.size !== pack.size) throw wrong();
  if (deps.store.kind === 'directory') return;
  if (info.checksum === pack.checksum) return;
  const sum = openSum(pack.checksum);
  for await (const bytes of await deps.store.get(pack.key)) sum.update(bytes as Buffer);
  if (!sum.matches()) throw wrong();
}
