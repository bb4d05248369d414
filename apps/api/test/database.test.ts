import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { openPool } from '../src/database/client.js';
import { transaction } from '../src/jobs/sql.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

it('outlives a connection that breaks in the middle of a transaction, between two queries', async () => {
  const pool = openPool({ connectionString: postgres.url, max: 2 }, pino({ level: 'silent' }), 'broke');
  const broken = transaction(pool, async (sql) => {
    const { rows } = await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const gone = once(pool, 'remove');
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    // Nothing is asked of it while it ends: an error that nobody listens to would end this process.
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 300))]);
    await sql.query('SELECT 1');
  });
  await expect(broken).rejects.toThrow();
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});
