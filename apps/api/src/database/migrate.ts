import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@mycloud/shared';
import type pg from 'pg';

/** Any number, the same for every server: who holds it migrates. */
const migrationLock = 7_046_029_254;

/** prisma/migrations beside the workspace, found from src/ and from dist/ alike. */
function migrationsFolder(): string {
  let dir = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const found = path.join(dir, 'prisma/migrations');
    if (existsSync(found)) return found;
    const parent = path.dirname(dir);
    if (parent === dir) throw new AppError('internal', 'prisma/migrations is missing from this installation');
    dir = parent;
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

const migrationNames = (folder = migrationsFolder()): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

function readMigrations(folder = migrationsFolder()): Migration[] {
  return migrationNames(folder).map((name) => {
    const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** The names of migrations of this release that the database doesn't have. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  const done = await doneMigrations(pool);
  return migrationNames().filter((name) => !done.has(name));
}

const makeTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

async function doneMigrations(client: pg.Pool | pg.PoolClient): Promise<Set<string>> {
  const { rows } = await client.query<{ migration_name: string }>(
    'SELECT migration_name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Set(rows.map((row) => row.migration_name));
}

async function apply(client: pg.PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  await client.query(sql);
  await client.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name, applied_steps_count) VALUES ($1, $2, now(), $3, 1)`,
    [randomUUID(), checksum, name],
  );
}

/** Those of these migrations that this release has never heard of: a later one made them. */
export function unknownMigrations(names: readonly string[]): string[] {
  const known = new Set(migrationNames());
  return names.filter((name) => !known.has(name));
}

/** Those of this release that a database lacks: all of them, where it was never migrated. */
export async function missingMigrations(client: pg.PoolClient): Promise<string[]> {
  const { rowCount } = await client.query(`SELECT 1 WHERE to_regclass('"_prisma_migrations"') IS NOT NULL`);
  const done = rowCount ? await doneMigrations(client) : new Set<string>();
  return migrationNames().filter((name) => !done.has(name));
}

/** Makes the tables of an empty database as these migrations left them, in the caller's transaction. */
export async function applyMigrations(client: pg.PoolClient, names: readonly string[]): Promise<void> {
  await client.query(makeTable);
  for (const migration of readMigrations())
    if (names.includes(migration.name)) await apply(client, migration);
}

/**
 * Applies the migrations that are missing, in order, each in a transaction, recorded as Prisma does. Servers that start
 * at once take turns. @throws AppError conflict when the database is newer than this release
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const client = await pool.connect();
  const applied: string[] = [];
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query(makeTable);
    const done = await doneMigrations(client);
    const migrations = readMigrations();
    const unknown = unknownMigrations([...done]);
    if (unknown.length > 0) {
      throw new AppError('conflict', `the database is newer than this server: it has ${unknown.join(', ')}`, {
        hint: 'Start the release that made it, or a later one.',
      });
    }
    for (const migration of migrations.filter(({ name }) => !done.has(name))) {
      await client.query('BEGIN');
      await apply(client, migration);
      await client.query('COMMIT');
      applied.push(migration.name);
    }
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]);
    client.release();
    return applied;
  } catch (error) {
    // The lock and an open transaction go with the connection.
    client.release(true);
    throw error;
  }
}
