import { uploadSeconds } from '../quota.js';
import type { Collection } from './collect.js';
import { needed } from './needed.js';

/** A signed URL of a pack is good for this long: until then a reader may still hold one. */
const readSeconds = 3600;

/** Deletes snapshots doomed for the grace period, each looked at once more under its lock. */
export async function deleteSnapshots({
  cutoff,
  sql,
  report,
  step,
  deleteObject,
}: Collection): Promise<void> {
  const { rows } = await sql.query<{ id: string }>(
    'SELECT id FROM "Snapshot" WHERE "doomedAt" < $1 ORDER BY id',
    [cutoff],
  );
  for (const { id } of rows) {
    let manifestKey: string | undefined;
    await step(async () => {
      // Who makes something refer to it waits for this lock, or is waited for and then seen by the second statement.
      await sql.query('SELECT 1 FROM "Snapshot" WHERE id = $1 FOR UPDATE', [id]);
      const gone = await sql.query<{ manifestKey: string }>(
        `DELETE FROM "Snapshot" s WHERE id = $1 AND "doomedAt" < $2 AND NOT ${needed}
         RETURNING "manifestKey"`,
        [id, cutoff],
      );
      manifestKey = gone.rows[0]?.manifestKey;
    });
    if (manifestKey === undefined) continue;
    report.deletedSnapshots += 1;
    await deleteObject(manifestKey, 0);
  }
}

/** Deletes packs without chunks once no signed URL leads to them; the row after the object, so that a crash leaves no object unknown. */
export async function deleteEmptyPacks({
  cutoff,
  deps,
  sql,
  report,
  deleteObject,
}: Collection): Promise<void> {
  await sql.query(
    `UPDATE "Pack" p SET "emptyAt" = now() WHERE committed AND "emptyAt" IS NULL
       AND NOT EXISTS (SELECT 1 FROM "Chunk" c WHERE c."packId" = p.id)`,
  );
  const { rows } = await sql.query<{ id: string; key: string; size: number }>(
    `SELECT id, key, size FROM "Pack" WHERE "emptyAt" < $1::timestamptz + make_interval(secs => $2)`,
    // The grace period has passed once for its chunks: it is not waited for twice.
    [cutoff, Math.max(0, deps.config.gcGraceSeconds - readSeconds)],
  );
  for (const { id, key, size } of rows) {
    await deleteObject(key, size);
    await sql.query('DELETE FROM "Pack" WHERE id = $1', [id]);
    report.deletedPacks += 1;
  }
}

/** Deletes packs that were announced and never came whole, once nothing more can come by their signed URLs. */
export async function deleteIncompletePacks({ deps, sql, report, deleteObject }: Collection): Promise<void> {
  const { rows } = await sql.query<{ id: string; key: string }>(
    `DELETE FROM "Pack" WHERE NOT committed AND "createdAt" <= now() - make_interval(secs => $1) RETURNING id, key`,
    [Math.max(uploadSeconds, deps.config.gcGraceSeconds)],
  );
  for (const { key } of rows) {
    const info = await deps.store.stat(key);
    if (info) await deleteObject(key, info.size);
  }
  report.incompletePacks = rows.length;
}
