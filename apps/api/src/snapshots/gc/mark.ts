import { toBytes } from '../chunks.js';
import { readManifest } from '../snapshots.js';
import type { Collection } from './collect.js';

const hashesPerInsert = 10_000;

/** What needs a snapshot s. */
export const needed = `(EXISTS (SELECT 1 FROM "DatasetVersion" v WHERE v."snapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Mount" m WHERE m."snapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Job" j WHERE j."codeSnapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Job" j WHERE j."outputSnapshotId" = s.id))`;

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
 * Dooms an owner's chunks that only doomed snapshots hold, or none, and spares the others. A snapshot committed while
 * the manifests are read may have its chunks doomed here; the next run spares them before it deletes.
 */
export async function markChunks({ deps, sql, report }: Collection, ownerId: string): Promise<void> {
  await sql.query('CREATE TEMPORARY TABLE IF NOT EXISTS "LiveChunk" (hash BYTEA PRIMARY KEY)');
  await sql.query('TRUNCATE "LiveChunk"');
  const { rows } = await sql.query<{ id: string; hash: string; manifestKey: string }>(
    'SELECT id, hash, "manifestKey" FROM "Snapshot" WHERE "ownerId" = $1 AND "doomedAt" IS NULL',
    [ownerId],
  );
  for (const snapshot of rows) {
    // A manifest that can't be read ends the run: its chunks must not be taken for garbage.
    const entries = await readManifest(deps, snapshot);
    const hashes = entries.flatMap((entry) =>
      entry.type === 'file' ? entry.chunks.map((chunk) => chunk.hash) : [],
    );
    for (let at = 0; at < hashes.length; at += hashesPerInsert) {
      await sql.query('INSERT INTO "LiveChunk" SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING', [
        toBytes(hashes.slice(at, at + hashesPerInsert)),
      ]);
    }
  }
  const { rowCount } = await sql.query(
    `UPDATE "Chunk" c SET "doomedAt" = now() WHERE "ownerId" = $1 AND "doomedAt" IS NULL
       AND NOT EXISTS (SELECT 1 FROM "LiveChunk" l WHERE l.hash = c.hash)`,
    [ownerId],
  );
  report.doomedChunks += rowCount ?? 0;
  await sql.query(
    `UPDATE "Chunk" c SET "doomedAt" = NULL FROM "LiveChunk" l
     WHERE c."ownerId" = $1 AND c."doomedAt" IS NOT NULL AND l.hash = c.hash`,
    [ownerId],
  );
}
