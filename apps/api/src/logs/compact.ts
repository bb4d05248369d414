import type { Deps } from '../deps.js';
import { one, prepared, type Sql, transaction } from '../jobs/sql.js';
import { packLog } from './archive.js';
import type { StoredLine } from './lines.js';

const readAtOnce = 12;

/** Packs the logs of ended attempts into objects of the store. Many apis may do it at once. @returns how many it packed */
export async function compactLogs(deps: Deps): Promise<number> {
  // LogBatch holds only what isn't compacted: it stays small however many jobs have ended.
  const { rows } = await deps.pool.query<{ jobId: string; number: number }>(
    `SELECT a."jobId", a.number FROM (SELECT DISTINCT "jobId", attempt FROM "LogBatch") b
     JOIN "Attempt" a ON a."jobId" = b."jobId" AND a.number = b.attempt WHERE a."endedAt" IS NOT NULL LIMIT 50`,
  );
  let packed = 0;
  for (const row of rows) if (await compactAttempt(deps, row.jobId, row.number)) packed += 1;
  return packed;
}

async function compactAttempt(deps: Deps, jobId: string, attempt: number): Promise<boolean> {
  return transaction(deps.pool, async (sql) => {
    const locked = await one<{ fence: string }>(
      sql,
      `SELECT fence FROM "Attempt" WHERE "jobId" = $1 AND number = $2 AND "endedAt" IS NOT NULL AND "logIndex" IS NULL
       FOR UPDATE SKIP LOCKED`,
      [jobId, attempt],
    );
    if (!locked) return false;
    const { bytes, index } = await packLog(batches(sql, jobId, attempt));
    const key = `logs/${jobId}/${attempt}-${locked.fence}.jsonl.gz`;
    await deps.store.put(key, bytes, bytes.length);
    await sql.query(
      prepared(
        `WITH packed AS (DELETE FROM "LogBatch" WHERE "jobId" = $1 AND attempt = $2)
         UPDATE "Attempt" SET "logKey" = $3, "logIndex" = $4 WHERE "jobId" = $1 AND number = $2`,
        [jobId, attempt, key, JSON.stringify(index)],
      ),
    );
    return true;
  });
}

/** All lines of an attempt, a dozen batches in memory at a time. holds: it has ended, so that none is added meanwhile */
async function* batches(sql: Sql, jobId: string, attempt: number): AsyncGenerator<StoredLine> {
  for (let after = 0; ; ) {
    const { rows } = await sql.query<{ firstSeq: number; lines: StoredLine[] }>(
      prepared(
        `SELECT "firstSeq", lines FROM "LogBatch" WHERE "jobId" = $1 AND attempt = $2 AND "firstSeq" > $3
         ORDER BY "firstSeq" LIMIT $4`,
        [jobId, attempt, after, readAtOnce],
      ),
    );
    for (const batch of rows) {
      yield* batch.lines;
      after = batch.firstSeq;
    }
    if (rows.length < readAtOnce) return;
  }
}

/** Deletes logs of attempts that ended longer ago than these days; the lines are gone, their numbers stay. @returns how many, at most 1,000 */
export async function expireLogs(deps: Deps, days: number): Promise<number> {
  const { rows } = await deps.pool.query<{ jobId: string; number: number; logKey: string }>(
    `SELECT "jobId", number, "logKey" FROM "Attempt"
     WHERE "endedAt" < now() - make_interval(secs => $1) AND "logKey" IS NOT NULL LIMIT 1000`,
    [days * 86_400],
  );
  for (const row of rows) {
    await deps.store.delete(row.logKey);
    await deps.pool.query(
      `UPDATE "Attempt" SET "logKey" = NULL, "logIndex" = '[]' WHERE "jobId" = $1 AND number = $2`,
      [row.jobId, row.number],
    );
  }
  return rows.length;
}
