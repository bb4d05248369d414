import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Client,
  type CreateJob,
  createClient,
  type Job,
  jobRoutes,
  workerRoutes,
} from '@mycloud/shared';
import { pino } from 'pino';
import { startPostgres } from '../../../../test/support/postgres.js';
import { buildApi } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { newId } from '../../src/jobs/id.js';
import { startJobLoops } from '../../src/jobs/loops.js';
import { openDeps } from '../../src/open-deps.js';
import { at } from './at.js';
import { TestWorker } from './test-worker.js';

export { at } from './at.js';
export { type Follower, follow } from './follower.js';
export { TestWorker } from './test-worker.js';

/** One running api of a test, listening on a port of its own. */
export interface TestApi {
  deps: Deps;
  url: string;
  close(): Promise<void>;
}

/** A database with a user `lab`, one more user, a project and a worker's token, and apis on it. */
export interface World {
  databaseUrl: string;
  api: TestApi;
  lab: Client;
  eve: Client;
  labId: string;
  labToken: string;
  workerToken: string;
  /** A worker's token of another user. */
  workerTokenOf(userId: string): Promise<string>;
  startApi(env?: Record<string, string>, options?: { loops?: boolean }): Promise<TestApi>;
  /** Starts the sweeps of an api. */
  sweep(api?: TestApi): { close(): Promise<void> };
  /** A client with this token. */
  as(token: string): Client;
  /** The id of a user or a team. */
  idOf(name: string): Promise<string>;
  submit(body?: Partial<CreateJob>, headers?: Record<string, string>): Promise<Job>;
  get(job: Pick<Job, 'owner' | 'project' | 'number'>, as?: Client): Promise<Job>;
  worker(
    name: string,
    options?: { machines?: string[]; gpus?: number; images?: boolean; token?: string; api?: TestApi },
  ): Promise<TestWorker>;
  /** A snapshot row of lab's; its content is nobody's business here. */
  snapshot(ownerId?: string): Promise<string>;
  /** Waits until `check` answers something, asking again as long as it answers undefined. */
  until<T>(what: string, check: () => Promise<T | undefined>): Promise<T>;
  close(): Promise<void>;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const postgres = await startPostgres();
  const database = await postgres.createDatabase();
  const home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-world-'));
  const closers: (() => Promise<void>)[] = [];
  const startApi = async (more: Record<string, string> = {}): Promise<TestApi> => {
    const config = readConfig({
      DATABASE_URL: database.url,
      MYCLOUD_HOME: home,
      MYCLOUD_EMBEDDED: '1',
      MYCLOUD_LEASE_SECONDS: '30',
      MYCLOUD_SWEEP_SECONDS: '0.1',
      MYCLOUD_LOG_LEVEL: 'silent',
      ...env,
      ...more,
    });
    const opened = await openDeps(config, pino({ level: config.logLevel }));
    const app = await buildApi(opened.deps);
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      await app.close();
      await opened.close();
    };
    closers.unshift(close);
    return { deps: opened.deps, url, close };
  };
  const api = await startApi();
  const { pool } = api.deps;

  const addUser = async (name: string): Promise<string> => {
    const id = newId();
    await pool.query('INSERT INTO "User" (id, name) VALUES ($1, $2)', [id, name]);
    return id;
  };
  const addToken = async (userId: string, kind: string): Promise<string> => {
    const secret = randomBytes(24).toString('hex');
    await pool.query(
      `INSERT INTO "Token" (id, "userId", kind, name, hash, last4) VALUES ($1, $2, $3, 'test', $4, $5)`,
      [newId(), userId, kind, hash(secret), secret.slice(-4)],
    );
    return secret;
  };
  const labId = await addUser('lab');
  const eveId = await addUser('eve');
  await pool.query('INSERT INTO "Project" (id, "ownerId", name) VALUES ($1, $2, $3)', [
    newId(),
    labId,
    'cats',
  ]);
  const labToken = await addToken(labId, 'user');
  const lab = createClient({ url: api.url, token: labToken });
  const eve = createClient({ url: api.url, token: await addToken(eveId, 'user') });
  const workerToken = await addToken(labId, 'worker');

  const world: World = {
    databaseUrl: database.url,
    api,
    lab,
    eve,
    labId,
    labToken,
    workerToken,
    workerTokenOf: (userId) => addToken(userId, 'worker'),
    startApi,
    sweep(of = api) {
      const loops = startJobLoops(of.deps);
      closers.unshift(() => loops.close());
      return loops;
    },
    as: (token) => createClient({ url: api.url, token }),
    idOf: async (name) =>
      (await pool.query<{ id: string }>('SELECT id FROM "User" WHERE name = $1', [name])).rows[0]!.id,
    submit: (body = {}, headers) =>
      lab.call(
        jobRoutes.create,
        { params: { owner: 'lab', project: 'cats' }, body: { command: 'true', ...body } },
        { headers },
      ),
    get: (job, as = lab) => as.call(jobRoutes.get, at(job)),
    async worker(name, options = {}) {
      const client = createClient({ url: (options.api ?? api).url, token: options.token ?? workerToken });
      const machines = options.machines ?? ['cpu'];
      const { workerId } = await client.call(workerRoutes.register, {
        body: {
          name,
          version: '0.1.0',
          runner: 'process',
          machines,
          cores: 2,
          memoryBytes: 4 * 1024 ** 3,
          gpus: options.gpus ?? 0,
          images: options.images ?? false,
        },
      });
      const worker = new TestWorker(client, workerId, machines);
      closers.unshift(async () => worker.close());
      return worker;
    },
    async snapshot(ownerId = labId) {
      const id = newId();
      await pool.query(
        `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes") VALUES ($1, $2, $3, $4, 1, 1, 1)`,
        [id, ownerId, hash(id), `manifests/${id}`],
      );
      return id;
    },
    async until(what, check) {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const found = await check();
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      for (const close of closers) await close();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  return world;
}
