import { asBuffer } from '../chunks.js';
import { readManifest } from '../snapshots.js';
import type { Collection } from './collect.js';
import { needed } from './needed.js';

const hashesPerInsert = 10_000;

/** Dooms the snapshots that nothing needs and spares those that something does. @returns the owners who store anything */
export async function markSnapshots({ sql, report }: Collection): Promise<string[]> {
  const { rowCount } = await sql.query(
    `UPDATE "Snapshot" s SET "doomedAt" = now() WHERE "doomedAt" IS NULL AND NOT ${needed}`,
  );
  report.doomedSnapshots = rowCount ?? 0;
  await sql.query(`UPDATE "Snapshot" s SET "doomedAt" = NULL WHERE "doomedAt" IS NOT NULL AND ${needed}`);
  const { rows } = await sql.query<{ ownerId: string }>('SELECT DISTINCT "ownerId" FROM "Pack"');
  return rows.map((row) => row.ownerId);
}

/**
 * Dooms an owner's chunks that only doomed snapshots hold, or none, spares the others, and deletes those doomed before
 * the cutoff that no snapshot holds at all: one that was doomed may have been referred to again meanwhile.
 */
export async function sweepChunks({ deps, sql, report, cutoff }: Collection, ownerId: string): Promise<void> {
  await sql.query('CREATE TEMPORARY TABLE IF NOT EXISTS "HeldChunk" (hash BYTEA PRIMARY KEY, live BOOLEAN)');
  await sql.query('TRUNCATE "HeldChunk"');
  const { rows } = await sql.query<{ id: string; hash: string; manifestKey: string; live: boolean }>(
    'SELECT id, hash, "manifestKey", "doomedAt" IS NULL AS live FROM "Snapshot" WHERE "ownerId" = $1',
    [ownerId],
  );
  for (const snapshot of rows) {
    // A manifest that can't be read ends the run: its chunks must not be taken for garbage.
    const { chunks } = await readManifest(deps, snapshot);
    for (let from = 0; from < chunks.count; from += hashesPerInsert) {
      const hashes = Array.from({ length: Math.min(hashesPerInsert, chunks.count - from) }, (_, i) =>
        asBuffer(chunks.hash(from + i)),
      );
      await sql.query(
        `INSERT INTO "HeldChunk" SELECT *, $2::boolean FROM unnest($1::bytea[])
         ON CONFLICT (hash) DO UPDATE SET live = "HeldChunk".live OR EXCLUDED.live`,
        [hashes, snapshot.live],
      );
    }
  }
  const doomed = await sql.query(
    `UPDATE "Chunk" c SET "doomedAt" = now() WHERE "ownerId" = $1 AND "doomedAt" IS NULL
       AND NOT EXISTS (SELECT 1 FROM "HeldChunk" h WHERE h.hash = c.hash AND h.live)`,
    [ownerId],
  );
  report.doomedChunks += doomed.rowCount ?? 0;
  await sql.query(
    `UPDATE "Chunk" c SET "doomedAt" = NULL FROM "HeldChunk" h
     WHERE c."ownerId" = $1 AND c."doomedAt" IS NOT NULL AND h.hash = c.hash AND h.live`,
    [ownerId],
  );
  const deleted = await sql.query(
    `DELETE FROM "Chunk" c WHERE "ownerId" = $1 AND "doomedAt" < $2
       AND NOT EXISTS (SELECT 1 FROM "HeldChunk" h WHERE h.hash = c.hash)`,
    [ownerId, cutoff],
  );
  report.deletedChunks += deleted.rowCount ?? 0;
}
