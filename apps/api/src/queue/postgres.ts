import { createPostgresBackend, DEFAULT_SCHEMA, runMigrations, withBackend } from 'bullmq';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { openPool } from '../database/client.js';
import { ensureQueueRole } from './role.js';
import type { QueueBackend } from './tickets.js';

/** BullMQ on the same Postgres, in the schema `bullmq`, which its migrations make; all queues share a few connections. */
export async function openPostgresQueues(
  config: Pick<Config, 'databaseUrl' | 'queueRolePassword'>,
  log: Logger,
): Promise<QueueBackend> {
  const options = {
    connectionString: config.databaseUrl,
    max: 3,
    keepAlive: true,
    application_name: 'mycloud-tickets',
    // A ticket need not outlive a crash of the database: the sweep sends it again.
    options: `-c search_path=${DEFAULT_SCHEMA} -c synchronous_commit=off`,
  };
  const pool = openPool(options, log, 'a connection of the queue was lost');
  const client = await pool.connect();
  try {
    await runMigrations(client, DEFAULT_SCHEMA);
    if (config.queueRolePassword) await ensureQueueRole(client, DEFAULT_SCHEMA, config.queueRolePassword);
  } finally {
    client.release();
  }
  const { Queue } = withBackend(createPostgresBackend);
  return {
    name: 'postgres',
    open: (name) => new Queue(name, { connection: pool }),
    check: async () => {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}
