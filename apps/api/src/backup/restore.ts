import path from 'node:path';
import { AppError } from '@mycloud/shared';
import type pg from 'pg';
import { applyMigrations, unknownMigrations } from '../database/migrate.js';
import type { Store } from '../store/store.js';
import { sumOfFile } from './checked-stream.js';
import { damaged, loadTables } from './database.js';
import { backupNames, backupsFolder, listFile, readBackup, readObjects } from './format.js';
import { putObjects } from './objects.js';

/** Fences given after the backup are known to workers that may still live: those given from now on are higher. */
const fencesAhead = 1_000_000;

export interface RestoreOptions {
  dir: string;
  /** The name of a backup; undefined: the newest. */
  from: string | undefined;
  tell(what: string, done: number, total: number): void;
}

export interface RestoreReport {
  name: string;
  createdAt: string;
  rows: number;
  objects: number;
  bytes: number;
}

/** The folder of a backup. @throws AppError not_found, naming those there are */
export async function chooseBackup(dir: string, from: string | undefined): Promise<string> {
  const names = await backupNames(dir);
  const newest = names.at(-1);
  if (newest === undefined) {
    throw new AppError('not_found', `there is no backup in ${dir}`, {
      hint: 'Name the folder that `mycloud admin backup` was given.',
    });
  }
  if (from !== undefined && !names.includes(from)) {
    throw new AppError('not_found', `there is no backup ${from} in ${dir}`, {
      hint: `There is ${names.slice(-5).join(', ')}.`,
    });
  }
  return path.join(backupsFolder(dir), from ?? newest);
}

/**
 * Brings a backup into an empty database and a store. The store comes first and the database in one transaction: a restore that
 * breaks off leaves the database empty, and is run again.
 * @throws AppError conflict for a database that isn't empty and for a backup of a later release; bad_request for a damaged one
 */
export async function restore(
  pool: pg.Pool,
  store: Store,
  { dir, from, tell }: RestoreOptions,
): Promise<RestoreReport> {
  const folder = await chooseBackup(dir, from);
  const backup = await readBackup(folder);
  const unknown = unknownMigrations(backup.migrations);
  if (unknown.length > 0) {
    throw new AppError(
      'conflict',
      `this backup is of mycloud ${backup.version}, a later release than this one`,
      {
        hint: 'Restore it with that release, or a later one.',
        details: { unknown },
      },
    );
  }
  await requireEmpty(pool);
  if ((await sumOfFile(listFile(folder))).sha256 !== backup.objects.sha256) throw damaged(listFile(folder));
  const objects = await readObjects(folder);
  await putObjects(store, dir, objects, (done, total) => tell('restoring objects', done, total));

  const sql = await pool.connect();
  let broken: Error | undefined;
  try {
    await sql.query('BEGIN');
    await applyMigrations(sql, backup.migrations);
    await loadTables(sql, folder, backup, (table) => tell(`restoring ${table}`, 0, 0));
    await sql.query(`SELECT setval('mycloud_fence', nextval('mycloud_fence') + $1)`, [fencesAhead]);
    // The tickets were the old queue's.
    await sql.query(`UPDATE "Job" SET "ticketAt" = NULL WHERE status = 'queued'`);
    await sql.query(
      `INSERT INTO "Setting" (name, value) VALUES ('restored', jsonb_build_object('at', now()))
       ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, "changedAt" = now()`,
    );
    await sql.query('COMMIT');
  } catch (error) {
    // An open transaction goes with the connection.
    broken = error as Error;
    throw error;
  } finally {
    sql.release(broken);
  }
  return {
    name: path.basename(folder),
    createdAt: backup.createdAt,
    rows: backup.tables.reduce((sum, table) => sum + table.rows, 0),
    objects: objects.length,
    bytes: backup.objects.bytes,
  };
}

/** @throws AppError conflict */
async function requireEmpty(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' LIMIT 3`,
  );
  if (rows.length === 0) return;
  throw new AppError(
    'conflict',
    `the database is not empty: it has ${rows.map(({ name }) => name).join(', ')} …`,
    {
      hint: 'A backup is restored into an empty one: make a new database, or choose another folder by --home.',
    },
  );
}
