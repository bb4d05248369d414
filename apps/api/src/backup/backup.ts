import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { AppError, version } from '@mycloud/shared';
import type pg from 'pg';
import { missingMigrations } from '../database/migrate.js';
import { collectLock } from '../snapshots/gc/collect.js';
import type { Store } from '../store/store.js';
import { writeWhole } from './checked-stream.js';
import { dumpTables, readSequences } from './database.js';
import {
  type Backup,
  type BackupObject,
  backupNames,
  backupsFolder,
  descriptionFile,
  listFile,
  readObjects,
} from './format.js';
import { checkObject, copyObjects, parallel, referredObjects } from './objects.js';
import { forgetOldBackups } from './prune.js';

/** Rows and objects are deleted while a backup is made, and it looks again; so often in vain is no accident. */
const passes = 5;

export interface BackupOptions {
  dir: string;
  /** The first user of an embedded server. */
  user: string | null;
  /** How many backups the folder keeps, this one among them; undefined: all. */
  keep: number | undefined;
  /** Reads every object of the backup again. */
  verify: boolean;
  tell(what: string, done: number, total: number): void;
}

export interface BackupReport {
  name: string;
  createdAt: string;
  rows: number;
  objects: number;
  bytes: number;
  newObjects: number;
  newBytes: number;
  /** Names of backups that are kept no longer. */
  removed: string[];
}

/**
 * Backs up the database and every object it refers to, while the server runs. It is of one moment, that of the database's snapshot:
 * an object is stored before a row names it, and never changed; those that nothing names are deleted by the collection of garbage
 * alone, which waits; and when one is missing because its row was deleted meanwhile (a job's log), the database is read anew.
 */
export async function backUp(pool: pg.Pool, store: Store, options: BackupOptions): Promise<BackupReport> {
  const { dir, keep, verify, tell } = options;
  await mkdir(backupsFolder(dir), { recursive: true, mode: 0o700 });
  const sql = await pool.connect();
  let broken: Error | undefined;
  try {
    const missing = await missingMigrations(sql);
    if (missing.length > 0) {
      throw new AppError(
        'conflict',
        `the database was made by an older release: it lacks ${missing.join(', ')}`,
        {
          hint: 'Start the server of this release once, or back up with the release that runs.',
        },
      );
    }
    tell('waiting for the collection of garbage to end', 0, 0);
    await sql.query('SELECT pg_advisory_lock($1)', [collectLock]);
    const known = await knownObjects(dir);
    for (let pass = 1; ; pass += 1) {
      const report = await onePass(sql, store, options, known);
      if (!report) {
        if (pass < passes) continue;
        throw new AppError('internal', 'objects of the store are missing that the database refers to', {
          hint: 'Was something deleted from the store by hand? Its rows name what is not there.',
        });
      }
      const { rows } = await sql.query<{ held: boolean }>('SELECT pg_advisory_unlock($1) AS held', [
        collectLock,
      ]);
      if (!rows[0]?.held)
        throw new AppError('unavailable', 'the connection to the database broke', { hint: 'Run it again.' });
      if (verify) await verifyBackup(dir, report.name, tell);
      return { ...report, removed: keep === undefined ? [] : await forgetOldBackups(dir, keep) };
    }
  } catch (error) {
    // The lock goes with the connection.
    broken = error as Error;
    throw error;
  } finally {
    sql.release(broken);
  }
}

/** @returns undefined when an object has gone with its row since the database was read */
async function onePass(
  sql: pg.PoolClient,
  store: Store,
  { dir, user, tell }: BackupOptions,
  known: Map<string, BackupObject>,
): Promise<Omit<BackupReport, 'removed'> | undefined> {
  await sql.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await sql.query<{ now: Date }>('SELECT now()');
  const createdAt = rows[0]!.now.toISOString();
  const name = createdAt.replaceAll(':', '-');
  const partial = path.join(backupsFolder(dir), `.partial-${name}`);
  await mkdir(partial, { mode: 0o700 });
  try {
    const tables = await dumpTables(sql, partial, (table) => tell(`reading ${table}`, 0, 0));
    const sequences = await readSequences(sql);
    const migrations = await sql.query<{ name: string }>(
      `SELECT migration_name AS name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1`,
    );
    const referred = await referredObjects(sql);
    await sql.query('COMMIT');
    const copied = await copyObjects(store, dir, referred, known, (done, total) =>
      tell('copying objects', done, total),
    );
    for (const object of copied.objects) known.set(object.key, object);
    if (copied.gone.length > 0) return undefined;
    const lines = Readable.from(copied.objects.map((object) => `${JSON.stringify(object)}\n`));
    const list = await writeWhole(listFile(partial), lines, createGzip());
    const bytes = copied.objects.reduce((sum, object) => sum + object.size, 0);
    const backup: Backup = {
      format: 1,
      createdAt,
      version,
      user,
      migrations: migrations.rows.map((row) => row.name),
      tables,
      sequences,
      objects: { count: copied.objects.length, bytes, sha256: list.sha256 },
    };
    await writeFile(descriptionFile(partial), `${JSON.stringify(backup, null, 2)}\n`, {
      mode: 0o600,
      flush: true,
    });
    await rename(partial, path.join(backupsFolder(dir), name));
    return {
      name,
      createdAt,
      rows: tables.reduce((sum, table) => sum + table.rows, 0),
      objects: copied.objects.length,
      bytes,
      newObjects: copied.newObjects,
      newBytes: copied.newBytes,
    };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** What the backups of a folder have, by key. */
async function knownObjects(dir: string): Promise<Map<string, BackupObject>> {
  const known = new Map<string, BackupObject>();
  for (const name of await backupNames(dir)) {
    for (const object of await readObjects(path.join(backupsFolder(dir), name)))
      known.set(object.key, object);
  }
  return known;
}

/** Reads every object of a backup again. @throws AppError bad_request naming one that is damaged */
async function verifyBackup(dir: string, name: string, tell: BackupOptions['tell']): Promise<void> {
  const objects = await readObjects(path.join(backupsFolder(dir), name));
  let done = 0;
  await parallel(objects, async (object) => {
    await checkObject(dir, object);
    done += 1;
    tell('checking objects', done, objects.length);
  });
}
