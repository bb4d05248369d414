import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type Job,
  jobRoutes,
  logRoutes,
  machineRoutes,
  type RouteOutput,
  tensorboardRoutes,
  userRoutes,
} from '@mycloud/shared';
import { createEventWriter } from '@mycloud/tfevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from './support/cluster/cluster.js';
import { carrying, descendants } from './support/processes.js';
import { wantProgram } from './support/require.js';
import { eventually, startServer, type TestServer } from './support/server.js';
import { tensorboard } from './support/tensorboard.js';

const programs = [
  wantProgram('redis-server'),
  wantProgram('minio'),
  wantProgram('haproxy', ['/usr/sbin/haproxy']),
];

/** Prints numbered lines, ten a second. */
const counting = (seconds: number) =>
  `i=0; while [ $i -lt ${seconds * 10} ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done`;
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`);

describe.skipIf(programs.includes(undefined))('a cluster of two apis and two workers', () => {
  let server: TestServer;
  let cluster: Cluster;
  let client: Client;
  let owner: string;
  let project: string;

  beforeAll(async () => {
    server = await startServer({
      cluster: true,
      env: { MYCLOUD_LEASE_SECONDS: '8', MYCLOUD_SWEEP_SECONDS: '1', MYCLOUD_RUNNER: 'process' },
    });
    cluster = server.cluster!;
    client = await server.client();
    owner = (await client.call(userRoutes.me, {})).name;
    project = await server.project('many');
  }, 240_000);
  afterAll(() => server?.remove());

  const at = (job: Pick<Job, 'number'>) => ({ params: { owner, project: 'many', number: job.number } });
  const submit = (command: string, more = {}) =>
    client.call(jobRoutes.create, { params: { owner, project: 'many' }, body: { command, ...more } });
  const running = (job: Job) =>
    eventually(
      `${job.name} runs`,
      async () => (await client.call(jobRoutes.get, at(job))).status === 'running',
    );
  const workers = async () => (await client.call(machineRoutes.workers, {})).items;
  const workerOf = async (job: Job) => (await workers()).find(({ jobs }) => jobs.includes(job.name))?.name;

  async function printed(job: Job): Promise<string[]> {
    const texts: string[] = [];
    for (let after: string | undefined = '0.0'; ; ) {
      const page: RouteOutput<typeof logRoutes.range> = await client.call(logRoutes.range, {
        ...at(job),
        query: { after, limit: 1000 },
      });
      if (page.lines.length === 0) return texts;
      texts.push(...page.lines.filter(({ source }) => source === 'job').map(({ text }) => text));
      after = page.cursor;
    }
  }

  it('runs jobs on both workers, whose bytes go past the apis', async () => {
    expect((await workers()).map(({ name, alive }) => `${name} ${alive}`)).toEqual([
      'worker-1 true',
      'worker-2 true',
    ]);
    const data = path.join(server.folder, 'data');
    await mkdir(data);
    await writeFile(path.join(data, 'noise'), randomBytes(3_000_000));
    await server.json(['data', 'upload', 'noise', '--dir', data]);
    const jobs: Job[] = [];
    for (const drained of ['worker-2', 'worker-1']) {
      await server.json(['workers', 'drain', drained]);
      const made = await server.json<Job>(
        ['run', '--data', 'noise:input', 'cp "$MYCLOUD_INPUT/noise" "$MYCLOUD_OUTPUT/copy"'],
        { cwd: project },
      );
      jobs.push(await server.ended(made));
      await server.json(['workers', 'undrain', drained]);
    }
    expect(jobs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const out = path.join(server.folder, 'copied');
    expect((await server.cli(['output', jobs[1]!.name, '-o', out])).code).toBe(0);
    expect(await readFile(path.join(out, 'copy'))).toEqual(await readFile(path.join(data, 'noise')));
  });

  it('opens a shell, and a job’s own server, on the worker that nobody can call, whichever api is asked', async () => {
    await server.json(['workers', 'drain', 'worker-1']);
    const listen = `node -e "require('http').createServer((q, a) => a.end('from ' + process.env.MYCLOUD_JOB)).listen(process.env.PORT)"`;
    const job = await submit(listen, { mode: 'serve' });
    await running(job);
    expect(await workerOf(job)).toBe('worker-2');
    await server.json(['workers', 'undrain', 'worker-1']);
    for (let i = 0; i < 4; i++) {
      const { stdout, stderr } = await server.cli([
        'exec',
        job.name,
        '--',
        'sh',
        '-c',
        'echo in $MYCLOUD_JOB',
      ]);
      expect(stdout, stderr).toBe(`in ${job.name}\n`);
    }
    const headers = { authorization: `Bearer ${cluster.token}` };
    const ask = () => fetch(`${server.url}/${job.name}/serve/`, { headers });
    await eventually('it listens', async () => (await ask()).ok);
    for (let i = 0; i < 6; i++) expect(await (await ask()).text()).toBe(`from ${job.name}`);
    await client.call(jobRoutes.stop, at(job));
    await server.ended(job);
  });

  it.skipIf(!tensorboard)('has one TensorBoard for a job, whichever api is asked', async () => {
    const folder = await server.project('curves');
    const writer = createEventWriter(path.join(folder, 'events'));
    writer.scalar('loss', 0.5, 1);
    await writer.close();
    const made = await server.json<Job>(['run', '--tensorboard', 'cp -r events "$MYCLOUD_OUTPUT/"'], {
      cwd: folder,
    });
    const job = await server.ended(made);
    expect(job.status).toBe('succeeded');
    const jobs = job.name;
    expect((await client.call(tensorboardRoutes.start, { body: { jobs } })).state).toBe('ready');
    for (let i = 0; i < 6; i++) {
      const { state, path: address } = await client.call(tensorboardRoutes.get, { query: { jobs } });
      expect(state).toBe('ready');
      const runs = await fetch(`${server.url}${address}data/runs`);
      expect(await runs.json()).toEqual(['events']);
    }
    const shown = ['api-1', 'api-2'].filter(
      (name) => descendants(cluster.program(name).pid!, /--logdir/).length > 0,
    );
    expect(shown).toHaveLength(1);
  });

  it('loses nothing while its apis are brought up to date one after the other, under load', async () => {
    const jobs = await Promise.all([1, 2, 3].map(() => submit(counting(15))));
    await Promise.all(jobs.map(running));
    const followers = jobs.map((job) => {
      const child = server.start(['logs', '-f', job.name, '--json']);
      let text = '';
      child.stdout?.on('data', (bytes) => (text += bytes));
      return { child, lines: () => text };
    });
    const big = path.join(server.folder, 'big');
    await mkdir(big);
    const wanted = new Map<string, Buffer>();
    for (let i = 0; i < 40; i++) {
      const bytes = randomBytes(1_000_000);
      wanted.set(`part-${i}`, bytes);
      await writeFile(path.join(big, `part-${i}`), bytes);
    }
    const upload = server.cli(['data', 'upload', 'big', '--dir', big]);
    let restarted = false;
    const submitted: Job[] = [];
    const submitting = async () => {
      while (!restarted) {
        submitted.push(await submit('true'));
        await sleep(100);
      }
    };
    const restarting = cluster.restartApis().finally(() => {
      restarted = true;
    });
    await Promise.all([submitting(), restarting]);

    const { code, stdout, stderr } = await upload;
    expect(code, stdout + stderr).toBe(0);
    for (const [i, job] of jobs.entries()) {
      expect(await server.ended(job), job.name).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(await printed(job)).toEqual(numbered(150));
      const { child, lines } = followers[i]!;
      await eventually('its follower ends by itself', async () => child.exitCode !== null);
      const texts = lines()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { source?: string; text?: string })
        .filter(({ source }) => source === 'job')
        .map(({ text }) => text);
      expect(texts).toEqual(numbered(150));
    }
    expect(submitted.length).toBeGreaterThan(5);
    for (const job of submitted) expect((await server.ended(job)).status).toBe('succeeded');
    const back = path.join(server.folder, 'big-back');
    const got = await server.cli(['data', 'get', 'big', '-o', back]);
    expect(got.code, got.stderr).toBe(0);
    for (const [name, bytes] of wanted)
      expect((await readFile(path.join(back, name))).equals(bytes)).toBe(true);
  }, 180_000);

  it('runs every queued job within a minute of losing Redis and all that was in it', async () => {
    const redis = cluster.program('redis');
    for (const name of ['worker-1', 'worker-2']) await server.json(['workers', 'drain', name]);
    const jobs = await Promise.all(Array.from({ length: 12 }, (_, i) => submit(`echo ${i}`)));
    await redis.kill();
    jobs.push(await submit('echo queued while it was away'));
    for (const name of ['worker-1', 'worker-2']) await server.json(['workers', 'undrain', name]);
    redis.start();
    const lost = Date.now();
    const ends = await Promise.all(jobs.map((job) => server.ended(job)));
    expect(ends.map(({ status }) => status)).toEqual(jobs.map(() => 'succeeded'));
    expect(Date.now() - lost).toBeLessThan(60_000);
  }, 120_000);

  it('lets an admin take a worker away: its token is over, its jobs run elsewhere, it ends with a word', async () => {
    await server.json(['workers', 'drain', 'worker-1']);
    const job = await submit('[ "$MYCLOUD_ATTEMPT" = 2 ] || sleep 600');
    await running(job);
    expect(await workerOf(job)).toBe('worker-2');
    await server.json(['workers', 'undrain', 'worker-1']);
    const kept = await server.cli(['workers', 'remove', 'worker-2']);
    expect(kept.code).toBe(1);
    expect(kept.stderr).toContain('worker worker-2 runs a job');
    const removed = await server.json(['workers', 'remove', 'worker-2', '--force']);
    expect(removed).toEqual({ name: 'worker-2', jobs: 1, tokenRevoked: true });
    await eventually('it says why it ends', async () =>
      cluster.program('worker-2').said.includes('this token was revoked'),
    );
    await eventually('its job is stopped there', async () => {
      const left = carrying(`MYCLOUD_JOB=${job.name}\0`);
      return left.length === 0 || (await client.call(jobRoutes.get, at(job))).finishedAt !== null;
    });
    expect(await server.ended(job)).toMatchObject({ status: 'succeeded', attempt: 2 });
    expect((await workers()).map(({ name }) => name)).toEqual(['worker-1']);
  });
});
