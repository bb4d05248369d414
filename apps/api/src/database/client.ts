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

/**
 * A pool whose connections may break at any moment, idle or in use: what is asked of one fails then, and nothing else.
 * @param broke what to say of it
 */
export function openPool(options: pg.PoolConfig, log: Logger, broke: string): pg.Pool {
  const pool = new pg.Pool({ connectionTimeoutMillis: 5_000, ...options });
  pool.on('error', (error) => log.warn({ err: error }, broke));
  // One in use that breaks between two queries tells nobody but its own listeners: without any, the process would end.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** One pool, shared by Prisma and plain SQL. A connection that breaks is replaced; queries fail until Postgres is back. */
export function openDatabase(url: string, connections: number, log: Logger): Database {
  const options = { connectionString: url, max: connections, idleTimeoutMillis: 30_000 };
  const pool = openPool(options, log, 'a database connection broke');
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
