import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient, type Job, sessionRoutes, tensorboardRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { createEventWriter, type EventWriter } from '@mycloud/tfevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendants } from '../../../test/support/processes.js';
import { tensorboard } from '../../../test/support/tensorboard.js';
import { refused } from './support/refused.js';
import { startWorld, type TestApi, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
let dir: string;
beforeAll(async () => {
  world = await startWorld({ MYCLOUD_TENSORBOARD: tensorboard ?? '/nowhere/tensorboard' });
  worker = await world.worker('w-board');
  dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-boards-'));
});
afterAll(async () => {
  await world.close();
  await rm(dir, { recursive: true, force: true });
});

const start = (jobs: string, as: Client = world.lab) => as.call(tensorboardRoutes.start, { body: { jobs } });
const state = (jobs: string, as: Client = world.lab) => as.call(tensorboardRoutes.get, { query: { jobs } });
const save = async (folder: string) => (await uploadFolder({ client: world.lab, dir: folder })).snapshotId;
/** The programs themselves, without their guards. */
const running = () => descendants(process.pid, /python\S* \S+ .*--path_prefix/);
const inTensorboards = (api: TestApi) => readdir(path.join(api.deps.config.home, 'tensorboards'));

/** A job that has ended, with one scalar in an event file of its output. */
async function trained(tag = 'loss', value = 0.5): Promise<Job> {
  const job = await world.submit();
  const held = await worker.take();
  const folder = await mkdtemp(path.join(dir, 'output-'));
  const writer = createEventWriter(path.join(folder, 'Graph/train'));
  writer.scalar(tag, value, 1);
  await writer.close();
  await worker.finish(held, { outputSnapshotId: await save(folder) });
  return job;
}

async function ask<T>(at: string | null, rest: string, base = world.api.url): Promise<T> {
  const response = await fetch(`${base}${at}${rest}`);
  if (!response.ok) throw new Error(`${rest}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
type Point = [wallTime: number, step: number, value: number];
const points = (at: string | null, run: string, tag: string) =>
  ask<Point[]>(at, `data/plugin/scalars/scalars?run=${encodeURIComponent(run)}&tag=${tag}`);

describe.skipIf(!tensorboard)('the TensorBoard of a job', () => {
  it('starts when it is asked for, and shows what the job has saved', async () => {
    const job = await trained();
    expect(await state(job.name)).toMatchObject({ state: 'off' });
    const board = await start(job.name);
    expect(board).toMatchObject({ state: 'ready', message: null });
    expect(await ask(board.path, 'data/runs')).toEqual(['Graph/train']);
    expect((await points(board.path, 'Graph/train', 'loss')).map(([, step, value]) => [step, value])).toEqual(
      [[1, 0.5]],
    );
    const page = await (await fetch(world.api.url + board.path)).text();
    expect(page).toContain('<title>TensorBoard</title>');
  });

  it('is one for all who look at it', async () => {
    const job = await trained();
    const before = running().length;
    const [one, two] = await Promise.all([start(job.name), start(job.name)]);
    expect([one.state, two.state]).toEqual(['ready', 'ready']);
    expect(running().length).toBe(before + 1);
  });

  it('shows several jobs as runs of their own, named by project and number', async () => {
    const jobs = [await trained('loss', 1), await trained('loss', 2)];
    const board = await start(jobs.map((job) => job.name).join());
    const runs = jobs.map((job) => `cats/${job.number}/Graph/train`);
    expect((await ask<string[]>(board.path, 'data/runs')).sort()).toEqual(runs.sort());
    expect((await points(board.path, runs[1]!, 'loss'))[0]![2]).toBe(2);
  });

  it('grows with a job that runs', async () => {
    const job = await world.submit();
    const held = await worker.take();
    await worker.status(held, 'running');
    expect((await start(job.name)).state).toBe('no_events');
    const folder = await mkdtemp(path.join(dir, 'growing-'));
    const writer = createEventWriter(folder);
    const write = async (to: EventWriter, step: number) => {
      to.scalar('loss', step, step);
      await to.flush();
      await worker.output(held, await save(folder));
    };
    await write(writer, 1);
    const board = await world.until('it is there', async () => {
      const now = await start(job.name);
      return now.state === 'ready' ? now : undefined;
    });
    expect(await points(board.path, '.', 'loss')).toHaveLength(1);
    await write(writer, 2);
    await world.until('it shows the second point', async () =>
      (await points(board.path, '.', 'loss')).length === 2 ? true : undefined,
    );
    await writer.close();
    await worker.finish(held);
  });

  it('that died says so, and starts again when a person asks, not by what its open page asks', async () => {
    const job = await trained();
    const board = await start(job.name);
    const before = running();
    const other = await trained();
    await start(other.name);
    const [pid] = running().filter((one) => !before.includes(one));
    process.kill(pid!, 'SIGKILL');
    const ended = await world.until('it is seen', async () => {
      const now = await state(other.name);
      return now.state === 'ended' ? now : undefined;
    });
    expect(ended.message).toBe('TensorBoard has ended: it was ended by SIGKILL.');
    expect(ended.path).toBeNull();
    expect((await state(job.name)).state).toBe('ready');
    const again = await start(other.name);
    expect(await ask(again.path, 'data/runs')).toEqual(['Graph/train']);
    expect(await ask(board.path, 'data/runs')).toEqual(['Graph/train']);
  });

  it('is not there for whom the job is not, and its address is good only as it was given', async () => {
    const job = await trained();
    const board = await start(job.name);
    const { message } = await refused(start(job.name, world.eve));
    expect(message).toContain('there is no project');
    const [body, seal] = board.path!.slice('/v1/tensorboards/'.length, -1).split('.');
    const claims = JSON.parse(Buffer.from(body!, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify([...claims.slice(0, 3), [(await trained()).id]])).toString(
      'base64url',
    );
    for (const pass of [`${forged}.${seal}`, `${body}.`, `${body}.${'x'.repeat(43)}`, 'x', '%00'])
      expect((await fetch(`${world.api.url}/v1/tensorboards/${pass}/data/runs`)).status, pass).toBe(403);
  });

  it('ends with the login that asked for it', async () => {
    const job = await trained();
    const { path: link } = await world.lab.call(sessionRoutes.createLink, {});
    const opened = await fetch(world.api.url + link, { redirect: 'manual' });
    const cookie = opened.headers.getSetCookie()[0]!.split(';')[0]!;
    const headers = { cookie, 'x-mycloud-page': '1' };
    const asked = await fetch(`${world.api.url}/v1/tensorboards?jobs=${job.name}`, { headers });
    const { path: at } = (await asked.json()) as { path: string };
    expect(await ask(at, 'data/runs')).toEqual(['Graph/train']);
    await fetch(`${world.api.url}/v1/session`, { method: 'DELETE', headers });
    await world.until('what was found is not believed any more', async () =>
      (await fetch(`${world.api.url + at}data/runs`)).status === 403 ? true : undefined,
    );
  }, 20_000);

  it('is kept apart from our page: sandboxed, framed by nobody else, without cookies on their way', async () => {
    const job = await trained('<img src=x onerror=alert(1)>');
    const board = await start(job.name);
    const page = await fetch(world.api.url + board.path, { headers: { cookie: 'mycloud_page=secret' } });
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/sandbox allow-scripts/);
    expect(policy).not.toMatch(/allow-same-origin|https?:/);
    expect(policy).toContain("frame-ancestors 'self'");
    for (const rest of ['data/runs', 'index.js', 'mycloud-stand-ins.js', '..%2f..%2fetc%2fpasswd']) {
      const answer = await fetch(world.api.url + board.path + rest);
      expect(answer.headers.get('content-security-policy'), rest).toMatch(/sandbox allow-scripts/);
      expect(answer.headers.get('x-content-type-options'), rest).toBe('nosniff');
      expect(answer.headers.get('set-cookie'), rest).toBeNull();
      expect(answer.status, rest).toBe(rest.includes('etc') ? 404 : 200);
    }
    // Its scripts come from no origin: a browser asks first whether they may post.
    const preflight = await fetch(`${world.api.url + board.path}data/x`, {
      method: 'OPTIONS',
      headers: { origin: 'null', 'access-control-request-headers': 'content-type' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    const body = new URLSearchParams({ tag: 'loss', runs: 'Graph/train' });
    const posted = await fetch(`${world.api.url + board.path}data/plugin/scalars/scalars_multirun`, {
      method: 'POST',
      body,
      headers: { origin: 'null' },
    });
    expect(posted.status).toBe(200);
  });

  it('brings event files to the disk and no others: its projector would read what a file of the user’s names', async () => {
    const job = await world.submit();
    const held = await worker.take();
    const folder = await mkdtemp(path.join(dir, 'tricks-'));
    const writer = createEventWriter(path.join(folder, 'tfevents'));
    writer.scalar('loss', 1, 1);
    await writer.close();
    const config = 'embeddings { tensor_name: "x" tensor_path: "/etc/passwd" }\n';
    await writeFile(path.join(folder, 'tfevents/projector_config.pbtxt'), config);
    await symlink('tfevents', path.join(folder, 'link.tfevents.1'));
    await worker.finish(held, { outputSnapshotId: await save(folder) });
    const board = await start(job.name);
    expect(board.message).toBeNull();
    const root = path.join(world.api.deps.config.home, 'tensorboards');
    const brought = await readdir(root, { recursive: true, withFileTypes: true });
    const files = brought.filter((entry) => !entry.isDirectory() && entry.parentPath.includes('/runs/'));
    expect(files.length).toBeGreaterThan(0);
    expect(files.every((entry) => entry.isFile() && entry.name.startsWith('events.out.tfevents'))).toBe(true);
  });

  it('that nobody asks for any more ends, and gives its disk back; asked again it is there', async () => {
    const job = await trained();
    const api = await world.startApi({ MYCLOUD_TENSORBOARD_IDLE_SECONDS: '1' });
    const before = running().length;
    const lab = createClient({ url: api.url, token: world.labToken });
    const board = await start(job.name, lab);
    expect(running().length).toBe(before + 1);
    await world.until('it ends', async () => (running().length === before ? true : undefined));
    expect(await ask(board.path, 'data/runs', api.url)).toEqual(['Graph/train']);
    const folders = await inTensorboards(api);
    await api.close();
    expect(running().length).toBe(before);
    expect((await inTensorboards(world.api)).length).toBe(folders.length - 1);
  });

  it('of an api that was killed leaves nothing behind: the next one gives its disk back', async () => {
    const { pid } = spawnSync('true');
    const root = path.join(world.api.deps.config.home, 'tensorboards');
    const [left, elsewhere] = [`${os.hostname()}+${pid}+1+a`, `another-machine+${pid}+1+a`];
    for (const name of [left, elsewhere]) await mkdir(path.join(root, name, '1/runs'), { recursive: true });
    const api = await world.startApi();
    await start((await trained()).name, createClient({ url: api.url, token: world.labToken }));
    const folders = await readdir(root);
    expect(folders).not.toContain(left);
    expect(folders).toContain(elsewhere);
    await api.close();
  });

  it('of another api serves as well: nothing is kept where only one finds it', async () => {
    const job = await trained();
    const board = await start(job.name);
    const other = await world.startApi();
    expect(await ask(board.path, 'data/runs', other.url)).toEqual(['Graph/train']);
    await other.close();
  });

  it('makes room for another one when too many run, the one asked least lately first', async () => {
    const api = await world.startApi({ MYCLOUD_TENSORBOARD_MAX: '2' });
    const lab = createClient({ url: api.url, token: world.labToken });
    const jobs = [await trained(), await trained(), await trained()];
    const first = await start(jobs[0]!.name, lab);
    await start(jobs[1]!.name, lab);
    await ask(first.path, 'data/runs', api.url);
    await start(jobs[2]!.name, lab);
    const states = await Promise.all(jobs.map((job) => state(job.name, lab)));
    expect(states.map((one) => one.state)).toEqual(['ready', 'ended', 'ready']);
    expect(states[1]!.message).toContain('runs 2 at once');
    await api.close();
  });

  it('leaves out what is more than it may hold, and says so', async () => {
    const job = await trained();
    const api = await world.startApi({ MYCLOUD_TENSORBOARD_BYTES: '10' });
    const lab = createClient({ url: api.url, token: world.labToken });
    expect((await start(job.name, lab)).state).toBe('no_events');
    await api.close();
  });

  it('that takes too much memory ends, saying so', async () => {
    const job = await trained();
    const api = await world.startApi({ MYCLOUD_TENSORBOARD_MEMORY_BYTES: String(2 ** 20) });
    const lab = createClient({ url: api.url, token: world.labToken });
    await start(job.name, lab);
    const ended = await world.until('it is ended', async () => {
      const now = await state(job.name, lab);
      return now.state === 'ended' ? now : undefined;
    });
    expect(ended.message).toMatch(/0\.1 GiB of memory, of 0\.0/);
    await api.close();
  });
});

describe('a server without TensorBoard', () => {
  it('says how to have it, also when its setting names nothing', async () => {
    const job = await trained();
    const bare = await world.startApi({ MYCLOUD_TENSORBOARD: '', PATH: dir });
    const lab = (api: TestApi) => createClient({ url: api.url, token: world.labToken });
    expect(await start(job.name, lab(bare))).toEqual({
      state: 'not_installed',
      message: 'TensorBoard is not installed on this server.',
      command: 'mycloud env build tensorboard',
      path: null,
    });
    await bare.close();
    const wrong = await world.startApi({ MYCLOUD_TENSORBOARD: '/nowhere/tensorboard' });
    expect((await state(job.name, lab(wrong))).message).toContain('names /nowhere/tensorboard');
    await wrong.close();
    const cluster = await world.startApi({ MYCLOUD_TENSORBOARD: '', MYCLOUD_EMBEDDED: '0', PATH: dir });
    expect(await state(job.name, lab(cluster))).toMatchObject({
      message: expect.stringContaining('Put it into its PATH'),
      command: null,
    });
    await cluster.close();
  });

  it('says what a program that is none said', async () => {
    const job = await trained();
    const api = await world.startApi({ MYCLOUD_TENSORBOARD: '/bin/false' });
    const board = await start(job.name, createClient({ url: api.url, token: world.labToken }));
    expect(board).toMatchObject({ state: 'ended', message: 'TensorBoard has ended: it exited with 1.' });
    await api.close();
  });

  it.each([
    '',
    'cats/1',
    'lab/projects/cats/0',
    'lab/projects/cats/1,',
    Array(21).fill('a/projects/b/1').join(),
  ])('refuses jobs written as "%s"', async (jobs) => {
    expect((await refused(start(jobs))).code).toBe('bad_request');
  });
});
