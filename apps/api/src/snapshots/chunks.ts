import { AppError } from '@mycloud/shared';
import type { ChunkTable } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { one } from '../jobs/sql.js';

export const toBytes = (hashes: readonly string[]): Buffer[] =>
  hashes.map((hash) => Buffer.from(hash, 'hex'));

/** The same bytes, as the database's client wants them. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Which of these the owner has not stored; nobody learns what others have. */
export async function missingChunks(
  deps: Deps,
  ownerId: string,
  hashes: readonly string[],
): Promise<string[]> {
  const stored = await storedChunks(deps, ownerId, toBytes(hashes));
  const found = new Set(stored.map((hash) => hash.toString('hex')));
  return [...new Set(hashes)].filter((hash) => !found.has(hash));
}

/**
 * Which of these the owner has stored. They are not deleted for a grace period from now on, though no snapshot may
 * need them: whoever asks is about to commit one that does.
 * @param hashes each once
 */
async function storedChunks(deps: Deps, ownerId: string, hashes: readonly Buffer[]): Promise<Buffer[]> {
  const { rows } = await deps.pool.query<{ hash: Buffer; doomed: boolean }>(
    'SELECT hash, "doomedAt" IS NOT NULL AS doomed FROM "Chunk" WHERE "ownerId" = $1 AND hash = ANY($2)',
    [ownerId, hashes],
  );
  const doomed = rows.filter((row) => row.doomed).map((row) => row.hash);
  const stored = rows.filter((row) => !row.doomed).map((row) => row.hash);
  // One deleted since it was looked at is not among those answered.
  return [...stored, ...(await spare(deps, ownerId, doomed))];
}

/**
 * How many of a tree's chunks the owner has stored, spared as by `storedChunks`. Hashes go to the database as they lie
 * in memory and a number comes back: an object each, of a million, would be more than all else the api holds.
 */
export async function countStored(deps: Deps, ownerId: string, chunks: ChunkTable): Promise<number> {
  let count = 0;
  for (const hashes of chunks.hashBlocks()) {
    const found = await one<{ stored: number; doomed: Buffer[] | null }>(
      deps.pool,
      `SELECT count(*) FILTER (WHERE c."doomedAt" IS NULL)::int AS stored,
         array_agg(c.hash) FILTER (WHERE c."doomedAt" IS NOT NULL) AS doomed
       FROM generate_series(0, length($2::bytea) / 32 - 1) i
       JOIN "Chunk" c ON c."ownerId" = $1 AND c.hash = substring($2::bytea FROM i * 32 + 1 FOR 32)`,
      [ownerId, asBuffer(hashes)],
    );
    count += (found?.stored ?? 0) + (await spare(deps, ownerId, found?.doomed ?? [])).length;
  }
  return count;
}

async function spare(deps: Deps, ownerId: string, hashes: Buffer[]): Promise<Buffer[]> {
  if (hashes.length === 0) return [];
  // Locked in one order, so that two who spare the same chunks don't wait for each other.
  const { rows } = await deps.pool.query<{ hash: Buffer }>(
    `UPDATE "Chunk" c SET "doomedAt" = NULL FROM (
       SELECT hash FROM "Chunk" WHERE "ownerId" = $1 AND hash = ANY($2) ORDER BY hash FOR UPDATE) found
     WHERE c."ownerId" = $1 AND c.hash = found.hash RETURNING c.hash`,
    [ownerId, hashes],
  );
  return rows.map((row) => row.hash);
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
