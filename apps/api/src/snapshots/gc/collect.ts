import type { GarbageReport } from '@mycloud/shared';
import type pg from 'pg';
import type { Deps } from '../../deps.js';
import { markSnapshots, sweepChunks } from './mark.js';
import { rewriteSparsePacks } from './rewrite.js';
import { deleteEmptyPacks, deleteIncompletePacks, deleteSnapshots } from './sweep.js';

/** Any number, the same for every api: who holds it collects, or keeps others from it (backup/backup.ts). */
export const collectLock = 7_046_029_255;

/** One run: what it works on and what it counts. */
export interface Collection {
  deps: Deps;
  /** The one connection of the run; in a dry run inside a transaction that is rolled back. */
  sql: pg.PoolClient;
  report: GarbageReport;
  /** What was doomed before this, or came before it, may go: the start of the run less the grace period. */
  cutoff: Date;
  /** Does a step in a transaction of its own. */
  step(work: () => Promise<void>): Promise<void>;
  /** Deletes an object of the store; in a dry run only counts its bytes. */
  deleteObject(key: string, bytes: number): Promise<void>;
}

/**
 * Mark and sweep. What nothing refers to is doomed (marked with the time) and deleted when it has been so for the
 * grace period. Whoever uploads spares the chunks he asks for (chunks.ts), and looks once more after he has committed
 * (snapshots.ts). What a run dooms only a later one deletes, which reads the manifests anew. So, however short the
 * grace period: a snapshot that was committed, and that something refers to, has all its chunks.
 *
 * Any number of apis may run it: one does, the others answer `busy`.
 */
export async function collectGarbage(deps: Deps, { dryRun }: { dryRun: boolean }): Promise<GarbageReport> {
  const report: GarbageReport = {
    dryRun,
    busy: false,
    doomedSnapshots: 0,
    doomedChunks: 0,
    deletedSnapshots: 0,
    deletedChunks: 0,
    deletedPacks: 0,
    rewrittenPacks: 0,
    incompletePacks: 0,
    freedBytes: 0,
  };
  const sql = await deps.pool.connect();
  let broken: Error | undefined;
  try {
    const { rows } = await sql.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      collectLock,
    ]);
    if (!rows[0]?.held) return { ...report, busy: true };
    if (dryRun) await sql.query('BEGIN');
    const { rows: times } = await sql.query<{ cutoff: Date }>(
      'SELECT now() - make_interval(secs => $1) AS cutoff',
      [deps.config.gcGraceSeconds],
    );
    const run: Collection = {
      deps,
      sql,
      report,
      cutoff: times[0]!.cutoff,
      async step(work) {
        if (!dryRun) await sql.query('BEGIN');
        await work();
        if (!dryRun) await sql.query('COMMIT');
      },
      async deleteObject(key, bytes) {
        if (!dryRun) await deps.store.delete(key);
        report.freedBytes += bytes;
      },
    };
    const owners = await markSnapshots(run);
    await deleteSnapshots(run);
    for (const owner of owners) await sweepChunks(run, owner);
    await rewriteSparsePacks(run);
    await deleteEmptyPacks(run);
    await deleteIncompletePacks(run);
    if (dryRun) await sql.query('ROLLBACK');
    else if (report.freedBytes > 0 || report.deletedSnapshots > 0) deps.log.info(report, 'bytes were freed');
    await sql.query('SELECT pg_advisory_unlock($1)', [collectLock]);
    return report;
  } catch (error) {
    // The lock, and a transaction left open, go with the connection.
    broken = error as Error;
    throw error;
  } finally {
    sql.release(broken);
  }
}
