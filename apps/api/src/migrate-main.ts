import { AppError } from '@mycloud/shared';
import { pino } from 'pino';
import { readConfig } from './config.js';
import { openPool, waitForDatabase } from './database/client.js';
import { migrate } from './database/migrate.js';

/** Brings the database up to date and ends: before new apis are started, where a failure is to stop that. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = pino({ level: config.logLevel, base: { app: 'migrate' } });
  const pool = openPool({ connectionString: config.databaseUrl, max: 1 }, log, 'the connection was lost');
  try {
    await waitForDatabase(pool, 60);
    log.info({ applied: await migrate(pool) }, 'the database is up to date');
  } finally {
    await pool.end();
  }
}

main().catch((error: unknown) => {
  const wrong = error instanceof AppError ? (error.errors ?? []) : [];
  const lines = [error instanceof Error ? error.message : String(error)];
  for (const { path, message } of wrong) lines.push(`  ${path}: ${message}`);
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
});
