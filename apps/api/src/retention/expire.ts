import type { Deps } from '../deps.js';
import { expireLogs } from '../logs/compact.js';
import { readRetention } from './settings.js';

/** Rows of one statement: small, so that nobody waits for it. */
const batch = 500;

/** Deletes what is older than the settings say, all of it. Any number of apis may do so at once. */
export async function expire(deps: Deps): Promise<void> {
  const { logs, outputs, metrics, audit } = await readRetention(deps);
  if (logs !== null) await repeat(() => expireLogs(deps, logs));
  if (outputs !== null) await repeat(() => expireOutputs(deps, outputs));
  if (metrics !== null) await repeat(() => expireMetrics(deps, metrics));
  if (audit !== null) await repeat(() => expireAudit(deps, audit));
}

/** @param step answers how much it did */
async function repeat(step: () => Promise<number>): Promise<void> {
  while ((await step()) > 0);
}

/**
 * Takes their outputs from jobs that ended long ago; the bytes are freed when nothing else refers to them. One that a job mounts, or
 * that is a version of a dataset, stays where it is found by that name too.
 */
async function expireOutputs({ pool }: Deps, days: number): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH old AS (
       SELECT id FROM "Job" j WHERE "finishedAt" < now() - make_interval(days => $1) AND "outputSnapshotId" IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM "Mount" m WHERE m."snapshotId" = j."outputSnapshotId")
         AND NOT EXISTS (SELECT 1 FROM "DatasetVersion" v WHERE v."snapshotId" = j."outputSnapshotId")
       LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, message)
       SELECT j.id, j.attempt, 'note', 'its output was deleted: outputs are kept for ' || $1::int || ' days'
       FROM "Job" j JOIN old ON old.id = j.id)
     UPDATE "Job" j SET "outputSnapshotId" = NULL FROM old WHERE j.id = old.id`,
    [days, batch],
  );
  return rowCount ?? 0;
}

async function expireMetrics({ pool }: Deps, days: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM "Metric" WHERE "jobId" IN (
       SELECT id FROM "Job" j WHERE "finishedAt" < now() - make_interval(days => $1)
         AND EXISTS (SELECT 1 FROM "Metric" m WHERE m."jobId" = j.id) LIMIT 20)`,
    [days],
  );
  return rowCount ?? 0;
}

async function expireAudit({ pool }: Deps, days: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM "AuditEntry" WHERE id IN (
       SELECT id FROM "AuditEntry" WHERE time < now() - make_interval(days => $1) LIMIT $2)`,
    [days, batch],
  );
  return rowCount ?? 0;
}
