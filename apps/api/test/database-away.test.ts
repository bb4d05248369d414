import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { openDatabase } from '../src/database/client.js';
import { isDatabaseAway } from '../src/database/faults.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

it('knows a connection that Postgres ended from a query that is wrong, by SQL and by Prisma', async () => {
  const { url } = await postgres.createEmptyDatabase();
  const { pool, db, close } = openDatabase(url, 4, pino({ level: 'silent' }));
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const endAll = async () => {
    const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`;
    for (let ended = 0; ended === 0; ended = (await admin.query(others)).rowCount ?? 0);
  };
  const faultOf = async (work: Promise<unknown>): Promise<unknown> => {
    const fault = work.then(
      () => undefined,
      (error: unknown) => error,
    );
    await endAll();
    return fault;
  };
  try {
    expect(isDatabaseAway(await faultOf(pool.query('SELECT pg_sleep(30)')))).toBe(true);
    expect(
      isDatabaseAway(await faultOf(db.$queryRawUnsafe('SELECT pg_sleep(30)').then((rows) => rows))),
    ).toBe(true);
    const wrong = (work: Promise<unknown>) => work.catch((error: unknown) => error);
    expect(isDatabaseAway(await wrong(pool.query('SELECT nothing')))).toBe(false);
    expect(isDatabaseAway(await wrong(db.$queryRawUnsafe('SELECT nothing').then((rows) => rows)))).toBe(
      false,
    );
  } finally {
    await admin.end();
    await close();
  }
});
