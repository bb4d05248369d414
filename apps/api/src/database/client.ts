import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from '../generated/prisma/client.js';

export interface Database {
  pool: pg.Pool;
  db: PrismaClient;
  close(): Promise<void>;
}

/** One pool, shared by Prisma and plain SQL. A connection that breaks is replaced; queries fail until Postgres is back. */
export function openDatabase(url: string, connections: number, log: Logger): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  const db = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    db,
    async close() {
      await db.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

/** Waits until the database answers. @throws AppError unavailable after `seconds` */
export async function waitForDatabase(pool: pg.Pool, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await pool.query('SELECT 1');
      return;
    } catch (cause) {
      if (Date.now() > end) {
        throw new AppError('unavailable', `the database does not answer: ${(cause as Error).message}`, {
          cause,
          hint: 'Is Postgres running, and is DATABASE_URL right?',
        });
      }
      await sleep(200);
    }
  }
}

/** Whether an error means that Postgres was away, so that the same call may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = (e as { code?: unknown }).code;
    if (typeof code === 'string' && /^(ECONN|EPIPE|ENOENT|57P0|08|53300|P1001|P1002|P1017)/.test(code))
      return true;
    if (
      /Connection terminated|timeout exceeded when trying to connect|not queryable|Can't reach database/.test(
        e.message,
      )
    )
      return true;
  }
  return false;
}
