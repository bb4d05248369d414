import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import { newId } from '../../jobs/id.js';
import { crc32Of } from '../../store/checksum.js';
import { packKey } from '../packs.js';
import type { Collection } from './collect.js';

/** What chunks of sparse packs are gathered into. */
const packBytes = 8 * 1024 * 1024;

interface SparseChunk {
  ownerId: string;
  hash: Buffer;
  packId: string;
  key: string;
  offset: number;
  size: number;
}

/**
 * Moves the chunks of packs less than half full into new packs; the old ones are empty then and go in a later run,
 * when no reader can hold a signed URL of them any more.
 */
export async function rewriteSparsePacks(run: Collection): Promise<void> {
  const { sql, report } = run;
  const { rows } = await sql.query<SparseChunk>(
    `SELECT c."ownerId", c.hash, c."packId", p.key, c."offset", c.size FROM "Chunk" c JOIN "Pack" p ON p.id = c."packId"
     WHERE c."packId" IN (
       SELECT p2.id FROM "Pack" p2 JOIN "Chunk" c2 ON c2."packId" = p2.id
       WHERE p2.committed AND p2."createdAt" < $1
       GROUP BY p2.id HAVING sum(c2.size) * 2 < p2.size)
     ORDER BY c."ownerId", c."packId", c."offset"`,
    [run.cutoff],
  );
  report.rewrittenPacks = new Set(rows.map((row) => row.packId)).size;
  if (report.dryRun) return;
  let gathered: { chunk: SparseChunk; bytes: Buffer }[] = [];
  let size = 0;
  for (const [i, chunk] of rows.entries()) {
    const bytes = await read(run, chunk);
    gathered.push({ chunk, bytes });
    size += bytes.length;
    const last = rows[i + 1]?.ownerId !== chunk.ownerId;
    if (size < packBytes && !last) continue;
    await store(run, gathered);
    gathered = [];
    size = 0;
  }
}

async function read({ deps }: Collection, { key, offset, size, hash }: SparseChunk): Promise<Buffer> {
  const bytes = await buffer(await deps.store.get(key, { start: offset, end: offset + size - 1 }));
  if (createHash('sha256').update(bytes).digest().equals(hash)) return bytes;
  throw new AppError('internal', `a chunk of the pack ${key} is damaged in the store; it is left as it is`);
}

/** The row comes before the object, so that a crash leaves no object unknown; chunks deleted meanwhile stay deleted. */
async function store(
  { deps, sql, step }: Collection,
  gathered: { chunk: SparseChunk; bytes: Buffer }[],
): Promise<void> {
  const { ownerId } = gathered[0]!.chunk;
  const bytes = Buffer.concat(gathered.map((one) => one.bytes));
  const id = newId();
  const key = packKey(ownerId, id);
  await sql.query(`INSERT INTO "Pack" (id, "ownerId", key, checksum, size) VALUES ($1, $2, $3, $4, $5)`, [
    id,
    ownerId,
    key,
    crc32Of(crc32(bytes)),
    bytes.length,
  ]);
  await deps.store.put(key, bytes, bytes.length);
  let offset = 0;
  const offsets = gathered.map((one) => {
    offset += one.bytes.length;
    return offset - one.bytes.length;
  });
  await step(async () => {
    await sql.query('UPDATE "Pack" SET committed = true WHERE id = $1', [id]);
    await sql.query(
      `UPDATE "Chunk" c SET "packId" = $2, "offset" = moved."offset"
       FROM unnest($3::bytea[], $4::uuid[], $5::int[]) AS moved(hash, "packId", "offset")
       WHERE c."ownerId" = $1 AND c.hash = moved.hash AND c."packId" = moved."packId"`,
      [ownerId, id, gathered.map((one) => one.chunk.hash), gathered.map((one) => one.chunk.packId), offsets],
    );
  });
}
