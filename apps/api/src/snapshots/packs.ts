import { createHash } from 'node:crypto';
import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one, transaction } from '../jobs/sql.js';
import { missingChunks, toBytes } from './chunks.js';
import { requireRoom, uploadSeconds } from './quota.js';

export const packKey = (ownerId: string, id: string): string => `packs/${ownerId}/${id}`;

interface AnnouncedChunk {
  hash: string;
  offset: number;
  size: number;
}

/**
 * Announces a pack; its key is its own, so that no two uploads write one object.
 * @throws AppError bad_request for chunks that overlap or leave it, quota_exceeded
 */
export async function createPack(
  deps: Deps,
  ownerId: string,
  pack: { sha256: string; size: number; chunks: AnnouncedChunk[] },
) {
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
  const same = await one<{ id: string }>(
    deps.pool,
    'SELECT id FROM "Pack" WHERE "ownerId" = $1 AND sha256 = $2 AND size = $3 AND committed LIMIT 1',
    [ownerId, pack.sha256, pack.size],
  );
  if (
    same &&
    (
      await missingChunks(
        deps,
        ownerId,
        pack.chunks.map((chunk) => chunk.hash),
      )
    ).length === 0
  ) {
    return { id: same.id, upload: null };
  }
  await requireRoom(deps, deps.pool, ownerId, pack.size, { announced: true });
  const id = newId();
  const key = packKey(ownerId, id);
  await deps.db.pack.create({
    data: {
      id,
      ownerId,
      key,
      sha256: pack.sha256,
      size: pack.size,
      announced: pack.chunks.map(({ hash, offset, size }) => [hash, offset, size]),
    },
  });
  return {
    id,
    upload: await deps.store.signPut(key, { size: pack.size, sha256: pack.sha256 }, uploadSeconds),
  };
}

/**
 * Makes a pack's chunks count as stored, once its bytes are proven to be those announced. Said again it changes nothing.
 * @throws AppError not_found, bad_request for other bytes, quota_exceeded
 */
export async function commitPack(deps: Deps, ownerId: string, id: string): Promise<void> {
  const pack = await deps.db.pack.findFirst({ where: { id, ownerId } });
  if (!pack) throw new AppError('not_found', `there is no pack ${id} of yours`);
  if (pack.committed) return;
  await proveBytes(deps, pack);
  const chunks = pack.announced as [string, number, number][];
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

/** The directory store hashed the bytes as they came; a bucket may know their checksum; otherwise they are read. */
async function proveBytes(deps: Deps, pack: { key: string; size: number; sha256: string }): Promise<void> {
  const info = await deps.store.stat(pack.key);
  if (!info)
    throw new AppError('bad_request', 'the bytes of this pack have not come', { hint: 'PUT them first.' });
  const wrong = () =>
    new AppError('bad_request', 'the pack holds other bytes than were announced', {
      hint: 'Send it again as a new pack.',
    });
  if (info.size !== pack.size) throw wrong();
  if (deps.store.kind === 'directory') return;
  if (info.sha256 === pack.sha256) return;
  const hash = createHash('sha256');
  for await (const bytes of await deps.store.get(pack.key)) hash.update(bytes as Buffer);
  if (hash.digest('hex') !== pack.sha256) throw wrong();
}
