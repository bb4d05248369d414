import { createHash } from 'node:crypto';
import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one, transaction } from '../jobs/sql.js';

const uploadSeconds = 3600;

interface AnnouncedChunk {
  hash: string;
  offset: number;
  size: number;
}

const toBytes = (hashes: readonly string[]): Buffer[] => hashes.map((hash) => Buffer.from(hash, 'hex'));

/** Which of these the owner has not stored; nobody learns what others have. */
export async function missingChunks(
  deps: Deps,
  ownerId: string,
  hashes: readonly string[],
): Promise<string[]> {
  const { rows } = await deps.pool.query<{ hash: Buffer }>(
    'SELECT hash FROM "Chunk" WHERE "ownerId" = $1 AND hash = ANY($2)',
    [ownerId, toBytes(hashes)],
  );
  const stored = new Set(rows.map((row) => row.hash.toString('hex')));
  return [...new Set(hashes)].filter((hash) => !stored.has(hash));
}

/** Announces a pack; its key is its own, so that no two uploads write one object. @throws AppError bad_request for chunks that overlap or leave it */
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
  const id = newId();
  const key = `packs/${ownerId}/${id}`;
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

/** Makes a pack's chunks count as stored, once its bytes are proven to be those announced. Said again it changes nothing. */
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
    if (!rowCount) return;
    await sql.query(
      `INSERT INTO "Chunk" ("ownerId", hash, "packId", "offset", size)
       SELECT $1, * FROM unnest($2::bytea[], $3::uuid[], $4::int[], $5::int[]) ON CONFLICT DO NOTHING`,
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

export interface LocatedChunk {
  hash: string;
  packId: string;
  key: string;
  packSize: number;
  offset: number;
  size: number;
}

/** Where chunks lie. @throws AppError not_found when one isn't stored */
export async function locateChunks(
  deps: Deps,
  ownerId: string,
  hashes: readonly string[],
): Promise<LocatedChunk[]> {
  const { rows } = await deps.pool.query<Omit<LocatedChunk, 'hash'> & { hash: Buffer }>(
    `SELECT c.hash, c."packId", p.key, p.size AS "packSize", c."offset", c.size FROM "Chunk" c JOIN "Pack" p ON p.id = c."packId"
     WHERE c."ownerId" = $1 AND c.hash = ANY($2)`,
    [ownerId, toBytes(hashes)],
  );
  const located = rows.map((row) => ({ ...row, hash: row.hash.toString('hex') }));
  const found = new Set(located.map((chunk) => chunk.hash));
  const lost = hashes.find((hash) => !found.has(hash));
  if (lost) throw new AppError('not_found', `the chunk ${lost} is not stored`);
  return located;
}
