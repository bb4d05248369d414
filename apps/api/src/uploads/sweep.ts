import type { Deps } from '../deps.js';

const partsPerQuery = 1000;

/** Forgets uploads that nobody has gone on with, and deletes the pieces of those that are done, failed or forgotten. */
export async function sweepUploads(deps: Deps): Promise<void> {
  await deps.pool.query(
    `DELETE FROM "Upload" WHERE state <> 'unpacking' AND "touchedAt" < now() - make_interval(secs => $1)`,
    [deps.config.uploadGraceSeconds],
  );
  for (;;) {
    const { rows } = await deps.pool.query<{ key: string }>(
      `SELECT key FROM "UploadPart" p WHERE NOT EXISTS (
         SELECT 1 FROM "Upload" u WHERE u.id = p."uploadId" AND u.state IN ('receiving', 'unpacking')) LIMIT $1`,
      [partsPerQuery],
    );
    for (const { key } of rows) {
      await deps.store.delete(key);
      await deps.pool.query('DELETE FROM "UploadPart" WHERE key = $1', [key]);
    }
    if (rows.length < partsPerQuery) return;
  }
}
