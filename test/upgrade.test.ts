import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Client,
  createClient,
  datasetRoutes,
  type Job,
  jobRoutes,
  logRoutes,
  metricRoutes,
  projectRoutes,
  storageRoutes,
  teamRoutes,
  userRoutes,
} from '@mycloud/shared';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from './support/postgres.js';
import { eventually, startServer, type TestServer } from './support/server.js';

/**
 * What the first release left: database.sql, and the objects its rows refer to. It was running: jobs 1 to 9 and 12 of
 * root/projects/cats were ended, running (5) and queued (12); 10 was being prepared and 11 saved by a worker that is gone.
 */
const fixture = path.join(import.meta.dirname, 'fixtures/first-release');
/** Of a server that lived for three minutes. */
const oldToken = 'myc__Fg55W_ZyoHlPqr76Bl-kPtgoSsuDfqG';

let postgres: TestPostgres;
let server: TestServer;
let root: Client;
let databaseUrl: string;

async function query<T extends pg.QueryResultRow>(text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = (await postgres.createEmptyDatabase()).url;
  await query(await readFile(path.join(fixture, 'database.sql'), 'utf8'));
  server = await startServer({
    env: { DATABASE_URL: databaseUrl, MYCLOUD_LEASE_SECONDS: '4', MYCLOUD_SWEEP_SECONDS: '0.5' },
    prepare: (home) =>
      cp(path.join(fixture, 'objects'), path.join(home, 'store/objects'), { recursive: true }),
  });
  root = createClient({ url: server.url, token: oldToken });
});
afterAll(async () => {
  await server?.remove();
  await postgres?.stop();
});

const cats = (number: number) => ({ params: { owner: 'root', project: 'cats', number } });
const photos = { params: { owner: 'root', dataset: 'photos' } };
const endOf = (number: number) => server.ended({ owner: 'root', project: 'cats', number });

it('the first release’s database is migrated at the first start, and its people are let in as before', async () => {
  const rows = await query<{ name: string }>(
    'SELECT migration_name AS name FROM "_prisma_migrations" ORDER BY 1',
  );
  expect(rows.at(0)?.name).toBe('0001_init');
  expect(rows.length).toBeGreaterThan(10);
  expect(await root.call(userRoutes.me, {})).toMatchObject({ name: 'root', role: 'admin', disabled: false });
  const { token, user } = await root.call(userRoutes.login, {
    body: { name: 'ann', password: 'a long password' },
  });
  expect(user.role).toBe('user');
  const ann = createClient({ url: server.url, token });
  const seen = await ann.call(projectRoutes.list, {});
  expect(seen.items.map(({ owner, name }) => `${owner}/${name}`)).toEqual(['ann/open']);
});

it('everything in it is read: jobs in every state, their logs, metrics and outputs, and datasets', async () => {
  const { items } = await root.call(jobRoutes.list, { query: { owner: 'root', project: 'cats' } });
  const ended = items.filter(({ number }) => number <= 9 && number !== 5);
  expect(ended.map(({ number, status }) => `${number} ${status}`)).toEqual([
    ...['9 succeeded', '8 succeeded', '7 succeeded', '6 succeeded', '4 stopped', '3 timed_out', '2 failed'],
    '1 succeeded',
  ]);
  const log = async (number: number) => (await root.open(logRoutes.text, cats(number))).text();
  expect(await log(1)).toContain('epoch 4');
  expect(await log(1)).toContain('\u001b[31mred\u001b[0m ünïcödé');
  expect(await log(2)).toContain('broken');
  const loss = await root.call(metricRoutes.series, { ...cats(1), query: { name: 'loss' } });
  expect(loss.points.map(({ value }) => value)).toEqual([0.1, 0.2, 0.3, 0.4]);
  const { items: events } = await root.call(jobRoutes.events, cats(3));
  expect(events.at(-1)?.reason).toBe('max_runtime');
  const ninth = await root.call(jobRoutes.get, cats(9));
  expect(ninth.mounts).toMatchObject([{ source: 'root/projects/cats/1/output', name: 'earlier' }]);

  const out = path.join(server.folder, 'out');
  expect((await server.cli(['output', 'root/projects/cats/9', '-o', out])).code).toBe(0);
  expect(await readFile(path.join(out, 'again.txt'), 'utf8')).toContain('3.txt');
  const versions = await root.call(datasetRoutes.versions, photos);
  expect(versions.items.map(({ number, message, files }) => ({ number, message, files }))).toEqual([
    { number: 2, message: 'one more cat', files: 7 },
    { number: 1, message: '', files: 6 },
  ]);
  const got = path.join(server.folder, 'got');
  expect((await server.cli(['data', 'get', 'root/datasets/photos/2', '-o', got])).code).toBe(0);
  expect(await readFile(path.join(got, 'cats/4.txt'), 'utf8')).toBe('cat 4\n');
  const storage = await root.call(storageRoutes.mine, {});
  expect(storage.storedBytes).toBeGreaterThan(0);
});

it('jobs that waited run, and those that ran are tried again, since their worker is gone', async () => {
  for (const number of [10, 11, 12]) expect((await endOf(number)).status).toBe('succeeded');
  expect((await root.call(jobRoutes.get, cats(10))).attempt).toBe(2);
  const again = await eventually('job 5 runs again', async () => {
    const job = await root.call(jobRoutes.get, cats(5));
    return job.attempt === 2 && job.status === 'running' && job;
  });
  expect(again.command).toContain('sleep 1000');
  await root.call(jobRoutes.stop, cats(5));
  expect((await endOf(5)).status).toBe('stopped');
});

it('new jobs run on old data, and what is new since is there for it', async () => {
  await server.cli(['login', '--url', server.url, '--token', oldToken]);
  const cwd = await server.project('cats', { 'look.sh': 'cat /input/cats/*.txt\n' });
  const job = await server.json<Job>(['run', '--data', 'photos/2:input', 'sh look.sh'], { cwd });
  expect(job.name).toBe('root/projects/cats/13');
  expect((await endOf(13)).status).toBe('succeeded');
  expect(await (await root.open(logRoutes.text, cats(13))).text()).toContain('cat 4');
  // What was stored then counts as stored now: the same folder is no new version.
  const version = await server.json<{ number: number }>(
    ['data', 'upload', 'photos', '--dir', path.join(server.folder, 'got')],
    { cwd: server.folder },
  );
  expect(version.number).toBe(2);
  expect((await server.json<{ deletedPacks: number }>(['admin', 'gc'])).deletedPacks).toBe(0);
  await root.call(teamRoutes.create, { body: { name: 'vision', admin: 'ann' } });
  await root.call(jobRoutes.update, { ...cats(1), body: { tags: ['old'] } });
});
