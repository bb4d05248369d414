import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Summing, writeWhole } from './checked-stream.js';
import { type Backup, tableFile } from './format.js';

type Table = Backup['tables'][number];

/** Recorded by the names of the migrations instead; written by the database itself, as the jobs are restored. */
const leftOut = ['_prisma_migrations', 'JobText'];

/** Our tables with their columns, each after those it refers to. The queue's own are in another schema: tickets are wake-ups. */
async function tablesOf(sql: pg.PoolClient): Promise<Pick<Table, 'name' | 'columns'>[]> {
  const { rows } = await sql.query<{ name: string; columns: string[]; refers: string[] }>(
    `SELECT c.relname AS name,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
       ARRAY(SELECT DISTINCT p.relname::text FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
        WHERE f.conrelid = c.oid AND f.contype = 'f' AND p.oid <> c.oid) AS refers
     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> ALL($1)
     ORDER BY c.relname`,
    [leftOut],
  );
  const ordered: typeof rows = [];
  while (ordered.length < rows.length) {
    const ready = rows.find(
      (table) =>
        !ordered.includes(table) &&
        table.refers.every((name) => ordered.some((before) => before.name === name)),
    );
    if (!ready) throw new AppError('internal', 'tables of the database refer to each other in a circle');
    ordered.push(ready);
  }
  return ordered.map(({ name, columns }) => ({ name, columns }));
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const columnList = (columns: readonly string[]): string => columns.map(quoted).join(', ');

/**
 * Writes every table into a folder. holds: the caller's transaction is REPEATABLE READ, so that all tables are of one moment.
 * @param tell called with each table's name before it is written
 */
export async function dumpTables(
  sql: pg.PoolClient,
  folder: string,
  tell: (table: string) => void,
): Promise<Table[]> {
  const tables: Table[] = [];
  for (const { name, columns } of await tablesOf(sql)) {
    tell(name);
    const rows = sql.query(copyTo(`COPY ${quoted(name)} (${columnList(columns)}) TO STDOUT`));
    const sum = await writeWhole(tableFile(folder, name), rows, createGzip({ level: 4 }));
    tables.push({ name, columns, rows: rows.rowCount, ...sum });
  }
  return tables;
}

/** Where each of our sequences stands; one that was never used is left out. */
export async function readSequences(sql: pg.PoolClient): Promise<Backup['sequences']> {
  const { rows } = await sql.query<{ name: string; value: string }>(
    `SELECT sequencename AS name, last_value::text AS value FROM pg_sequences
     WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1`,
  );
  return rows;
}

/** Fills the empty tables. @throws AppError bad_request for a file whose bytes are not those that were written */
export async function loadTables(
  sql: pg.PoolClient,
  folder: string,
  { tables, sequences }: Backup,
  tell: (table: string) => void,
): Promise<void> {
  for (const { name, columns, rows, sha256 } of tables) {
    tell(name);
    const file = tableFile(folder, name);
    const summing = new Summing();
    const into = sql.query(copyFrom(`COPY ${quoted(name)} (${columnList(columns)}) FROM STDIN`));
    await pipeline(createReadStream(file), summing, createGunzip(), into);
    if (summing.sum().sha256 !== sha256 || into.rowCount !== rows) throw damaged(file);
  }
  for (const { name, value } of sequences) await sql.query('SELECT setval($1, $2)', [quoted(name), value]);
}

export const damaged = (file: string): AppError =>
  new AppError('bad_request', `${file} is damaged: its bytes are not those that were written`, {
    hint: 'Choose an older backup of the folder by --from, or restore from a copy of it.',
  });
