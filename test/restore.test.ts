import { readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Client,
  createClient,
  datasetRoutes,
  type Job,
  jobRoutes,
  logRoutes,
  metricRoutes,
  teamRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carrying, killAll } from './support/processes.js';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let backups: string;

beforeAll(async () => {
  server = await startServer({ env: { MYCLOUD_LEASE_SECONDS: '4', MYCLOUD_SWEEP_SECONDS: '0.5' } });
  backups = path.join(server.folder, 'backups');
});
afterAll(() => server.remove());

const backUp = (...flags: string[]) =>
  server.json<{ name: string; newObjects: number; newBytes: number; removed: string[] }>([
    ...['admin', 'backup', backups, '--home', server.home],
    ...flags,
  ]);
const at = ({ owner, project, number }: Job) => ({ params: { owner, project, number } });

/** What a person sees of ended jobs, and of datasets: all of it, to be compared. */
async function everything(client: Client, jobs: Job[]) {
  const datasets = await client.call(datasetRoutes.list, {});
  const seen = await Promise.all(
    jobs.map(async (job) => ({
      job: await client.call(jobRoutes.get, at(job)),
      events: await client.call(jobRoutes.events, at(job)),
      log: await (await client.open(logRoutes.text, at(job))).text(),
      metrics: await client.call(metricRoutes.list, at(job)),
      series: await client.call(metricRoutes.series, { ...at(job), query: { name: 'loss' } }),
    })),
  );
  return { datasets, seen, teams: await client.call(teamRoutes.list, {}) };
}

/** The power goes, and the disk with it. */
async function lose(): Promise<void> {
  killAll(carrying(server.home));
  await eventually('every process is gone', async () => carrying(server.home).length === 0);
  await rm(server.home, { recursive: true, force: true });
}

describe('a backup', () => {
  let before: Awaited<ReturnType<typeof everything>>;
  let ended: Job[];
  let running: Job;
  let cwd: string;
  let photos: string;

  it('is made while jobs run, and again with what is new alone', async () => {
    await server.json(['admin', 'team', 'create', 'vision']);
    cwd = await server.project('cats', { 'data.txt': 'meow\n' });
    const script = `for i in 1 2 3; do echo "line $i"; echo '{"metric":"loss","value":'0.$i',"step":'$i'}'; done; cp data.txt /output/; `;
    const done = await server.json<Job>(['run', script], { cwd });
    const failed = await server.json<Job>(['run', 'echo broken >&2; exit 3'], { cwd });
    ended = [await server.ended(done), await server.ended(failed)];
    expect(ended.map(({ status }) => status)).toEqual(['succeeded', 'failed']);
    photos = path.join(server.folder, 'photos');
    await mkdir(photos);
    await writeFile(path.join(photos, 'cat.bin'), Buffer.alloc(700_000, 'cat '));
    await server.json(['data', 'upload', 'vision/photos', '--dir', photos]);
    running = await server.json<Job>(['run', 'echo begun; cat data.txt > /output/kept; sleep 600'], { cwd });
    const client = await server.client();
    await eventually('the long job runs', async () => {
      const text = await (await client.open(logRoutes.text, at(running))).text();
      return text.includes('begun');
    });
    await eventually('the logs of ended jobs are in the store', async () =>
      readdirSync(path.join(server.home, 'store/objects'), { recursive: true }).some((name) =>
        String(name).includes(ended[1]!.id),
      ),
    );

    const first = await backUp('--verify');
    expect(first.newObjects).toBeGreaterThan(5);
    await writeFile(path.join(photos, 'dog.bin'), Buffer.alloc(50_000, 'dog '));
    await server.json(['data', 'upload', 'vision/photos', '--dir', photos]);
    const second = await backUp();
    // A pack and a manifest.
    expect(second.newObjects).toBe(2);
    expect(second.newBytes).toBeLessThan(200_000);
    before = await everything(client, ended);
    expect(before.seen[0]?.log).toContain('line 3');
    expect(before.seen[1]?.log).toContain('broken');
    expect(before.seen[0]?.metrics.items.map(({ name }) => name)).toContain('loss');
  });

  it('is not restored over anything', async () => {
    const { code, stderr } = await server.cli(['admin', 'restore', backups, '--home', server.home]);
    expect(code).toBe(1);
    expect(stderr).toContain('is not empty');
  });

  it('brings everything back on an empty machine, and jobs that ran are tried again', async () => {
    await lose();
    const { code, stdout, stderr } = await server.cli(['admin', 'restore', backups, '--home', server.home]);
    expect(stderr).toContain('mycloud up');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Restored')]);
    await server.restart();
    // The login from before is as good as it was: tokens came back too.
    const client = await server.client();
    expect(await everything(client, ended)).toEqual(before);
    const out = path.join(server.folder, 'out');
    expect((await server.cli(['output', ended[0]!.name, '-o', out])).code).toBe(0);
    expect(await readFile(path.join(out, 'data.txt'), 'utf8')).toBe('meow\n');
    const got = path.join(server.folder, 'got');
    expect((await server.cli(['data', 'get', 'vision/datasets/photos/2', '-o', got])).code).toBe(0);
    for (const name of ['cat.bin', 'dog.bin'])
      expect((await readFile(path.join(got, name))).equals(await readFile(path.join(photos, name)))).toBe(
        true,
      );

    const again = await eventually('the long job runs again', async () => {
      const job = await client.call(jobRoutes.get, at(running));
      return job.attempt === 2 && job.status === 'running' && job;
    });
    const { items } = await client.call(jobRoutes.events, at(again));
    expect(items.find(({ reason }) => reason === 'server_restored')?.message).toContain(
      'tried again as attempt 2',
    );
    await server.json(['stop', again.name]);
    const { status } = await server.ended(again);
    expect(status).toBe('stopped');

    const fresh = await server.ended(await server.json<Job>(['run', 'cat data.txt'], { cwd }));
    expect([fresh.status, fresh.number]).toEqual(['succeeded', running.number + 1]);
    // Collecting garbage after a restore finds all that is referred to.
    expect((await server.cli(['admin', 'gc'])).code).toBe(0);
    expect((await server.cli(['data', 'get', 'vision/datasets/photos/2', '-o', `${got}-2`])).code).toBe(0);
  });

  it('is made of a server that is stopped, too, and the folder keeps as many as are wanted', async () => {
    await server.stop();
    const { removed } = await backUp('--keep', '1');
    expect(removed.length).toBe(2);
    expect(readdirSync(path.join(backups, 'backups')).length).toBe(1);
  });

  it('that is damaged is refused by name, and nothing is made of it', async () => {
    const objects = path.join(backups, 'objects/packs');
    const pack = readdirSync(objects, { recursive: true, withFileTypes: true }).find((entry) =>
      entry.isFile(),
    );
    const file = path.join(pack!.parentPath, pack!.name);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
    const target = path.join(server.folder, 'from-damaged');
    const { code, stderr } = await server.cli(['admin', 'restore', backups, '--home', target]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${file} is damaged`)]);
    const verified = await server.cli(['admin', 'backup', backups, '--home', server.home, '--verify']);
    expect([verified.code, verified.stderr]).toEqual([1, expect.stringContaining(`${file} is damaged`)]);
  });

  it('is not found where there is none', async () => {
    const empty = await server.cli(['admin', 'restore', server.folder, '--home', `${server.folder}/x`]);
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining('there is no backup in')]);
    const none = await server.cli(['admin', 'backup', backups, '--home', `${server.folder}/nowhere`]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no server has its data in')]);
    const client = createClient({ url: server.url });
    await expect(client.call(teamRoutes.list, {})).rejects.toThrow();
  });
});
