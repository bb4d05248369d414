import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { migrate } from '../src/database/migrate.js';
import { startApi } from './support/api.js';
import { refused } from './support/refused.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** Runs `work` with a pool on a database. */
async function withPool<T>(url: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // A connection that a refused migration gave up may be cut by the server's end while it still closes.
  pool.on('error', () => undefined);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

const recorded = (pool: pg.Pool) =>
  pool
    .query<{ name: string }>('SELECT migration_name AS name FROM "_prisma_migrations" ORDER BY 1')
    .then(({ rows }) => rows.map((row) => row.name));

it('makes an empty database ready once, however many servers start on it at once', async () => {
  const { url } = await postgres.createEmptyDatabase();
  const servers = await Promise.all([startApi(url), startApi(url), startApi(url)]);
  for (const server of servers) expect((await fetch(`${server.url}/health`)).status).toBe(200);
  const names = await withPool(url, recorded);
  expect(names.length).toBeGreaterThan(0);
  expect(new Set(names).size).toBe(names.length);
  for (const server of servers) await server.close();
});

it('applies what an older database lacks, and nothing twice', async () => {
  const { url } = await postgres.createEmptyDatabase();
  await withPool(url, async (pool) => {
    const all = await migrate(pool);
    expect(await migrate(pool)).toEqual([]);
    expect(await recorded(pool)).toEqual(all);
  });
});

it('refuses a database that a later release has migrated, and changes nothing of it', async () => {
  const { url } = await postgres.createDatabase();
  await withPool(url, async (pool) => {
    await pool.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name) VALUES ('x', 'x', now(), '9999_later')`,
    );
    const before = await recorded(pool);
    const error = await refused(migrate(pool));
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('9999_later') });
    expect(await recorded(pool)).toEqual(before);
  });
});
