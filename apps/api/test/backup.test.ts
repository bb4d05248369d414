import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { jobRoutes, logRoutes, teamRoutes } from '@mycloud/shared';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { bucketEnv, type RunningService, startMinio } from '../../../test/support/services.js';
import { backUp } from '../src/backup/backup.js';
import { backupNames } from '../src/backup/format.js';
import { restore } from '../src/backup/restore.js';
import { readConfig } from '../src/config.js';
import { compactLogs } from '../src/logs/compact.js';
import { collectGarbage } from '../src/snapshots/gc/collect.js';
import { openStore } from '../src/store/open-store.js';
import type { Store } from '../src/store/store.js';
import { startApi } from './support/api.js';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
let postgres: TestPostgres;
let minio: RunningService;
let dir: string;

beforeAll(async () => {
  [world, postgres, minio] = await Promise.all([startWorld(), startPostgres(), startMinio()]);
});
afterAll(async () => {
  await world.close();
  await postgres.stop();
  await minio.stop();
});

const quiet = { user: null, keep: undefined, verify: false, tell: () => undefined };
const make = (into: string, store: Store = world.api.deps.store) =>
  backUp(world.api.deps.pool, store, { dir: into, ...quiet });

/** A job that has ended, its log in the store. */
async function ended(text: string) {
  const job = await world.submit();
  const worker = await world.worker(`w-${job.number}`);
  const held = await worker.take();
  await worker.log(held, 1, [text]);
  await worker.finish(held, { lastSeq: 1 });
  expect(await compactLogs(world.api.deps)).toBe(1);
  return job;
}

/** The store, with something done before any object is read from it. */
function disturbed(store: Store, disturb: () => Promise<unknown>): Store {
  let disturbing: Promise<unknown> | undefined;
  return {
    ...store,
    async get(key, range) {
      disturbing ??= disturb();
      await disturbing;
      return store.get(key, range);
    },
  };
}

async function withPool<T>(url: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

describe('a backup of a server in use', () => {
  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-backups-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('is of one moment: a job deleted while it is made is not in it by half', async () => {
    const kept = await ended('kept');
    const deleted = await ended('deleted');
    const store = disturbed(world.api.deps.store, () => world.lab.call(jobRoutes.delete, at(deleted)));
    const { name } = await make(dir, store);
    const { url } = await postgres.createEmptyDatabase();
    const env = { MYCLOUD_HOME: path.join(dir, 'home') };
    const elsewhere = await openStore(readConfig({ DATABASE_URL: url, ...env }));
    const options = { dir, from: undefined, tell: () => undefined };
    await withPool(url, (pool) => restore(pool, elsewhere, options));
    const other = await startApi(url, env);
    const log = (job: typeof kept) => other.as(world.labToken).open(logRoutes.text, at(job));
    expect(await (await log(kept)).text()).toContain('kept');
    expect((await refused(log(deleted))).code).toBe('not_found');
    await other.close();
    expect(await backupNames(dir)).toEqual([name]);
  });

  it('keeps the collection of garbage waiting until it is done', async () => {
    let during: Awaited<ReturnType<typeof collectGarbage>> | undefined;
    await ended('one more');
    const store = disturbed(world.api.deps.store, async () => {
      during = await collectGarbage(world.api.deps, { dryRun: false });
    });
    await make(dir, store);
    expect(during?.busy).toBe(true);
    expect((await collectGarbage(world.api.deps, { dryRun: false })).busy).toBe(false);
  });

  it('is given up, and leaves no half of one, where the store lacks what the database has', async () => {
    const job = await ended('lost');
    const { rows } = await world.api.deps.pool.query<{ key: string }>(
      'SELECT "logKey" AS key FROM "Attempt" WHERE "jobId" = $1',
      [job.id],
    );
    const before = await readdir(path.join(dir, 'backups'));
    await world.api.deps.store.delete(rows[0]!.key);
    expect((await refused(make(dir))).message).toContain('objects of the store are missing');
    expect(await readdir(path.join(dir, 'backups'))).toEqual(before);
    await world.lab.call(jobRoutes.delete, at(job));
  });

  it('is restored by a release that knows how its database was made, into an empty one alone', async () => {
    const { url } = await postgres.createDatabase();
    const store = world.api.deps.store;
    const options = { dir, from: undefined, tell: () => undefined };
    const full = await refused(withPool(url, (pool) => restore(pool, store, options)));
    expect(full).toMatchObject({ code: 'conflict', message: expect.stringContaining('not empty') });
    const later = `INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name) VALUES ('x', 'x', now(), '9999_later')`;
    const { pool } = world.api.deps;
    await pool.query(later);
    await make(dir);
    await pool.query(`DELETE FROM "_prisma_migrations" WHERE id = 'x'`);
    const empty = await postgres.createEmptyDatabase();
    const error = await refused(withPool(empty.url, (other) => restore(other, store, options)));
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('a later release') });
  });
});

it('a cluster’s bucket is backed up into a folder, and restored into another bucket', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mycloud-backups-'));
  const [from, to] = [await postgres.createDatabase(), await postgres.createEmptyDatabase()];
  const first = await startApi(from.url, bucketEnv(minio, 'first'));
  await first.admin.call(teamRoutes.create, { body: { name: 'vision' } });
  const key = 'manifests/by-hand/1.gz';
  await first.deps.store.put(key, Buffer.from('a manifest'), 10);
  await first.deps.pool.query(
    `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes")
     SELECT gen_random_uuid(), id, 'x', $1, 1, 1, 1 FROM "User" WHERE name = 'vision'`,
    [key],
  );
  await backUp(first.deps.pool, first.deps.store, { dir: folder, ...quiet });
  await first.close();
  const config = readConfig({ DATABASE_URL: to.url, ...bucketEnv(minio, 'second') });
  const store = await openStore(config);
  const options = { dir: folder, from: undefined, tell: () => undefined };
  await withPool(to.url, (pool) => restore(pool, store, options));
  const chunks = [];
  for await (const part of await store.get(key)) chunks.push(part as Buffer);
  expect(Buffer.concat(chunks).toString()).toBe('a manifest');
  const second = await startApi(to.url, bucketEnv(minio, 'second'));
  expect((await second.admin.call(teamRoutes.list, {})).items.map(({ name }) => name)).toEqual(['vision']);
  await second.close();
  await rm(folder, { recursive: true, force: true });
});
