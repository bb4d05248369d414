import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  createClient,
  jobRoutes,
  logRoutes,
  machineRoutes,
  operatingRoutes,
  projectRoutes,
  tokenRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres } from '../../../test/support/postgres.js';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

const metricsToken = 'a-token-for-prometheus-alone';
let world: World;
beforeAll(async () => {
  world = await startWorld({ MYCLOUD_METRICS_TOKEN: metricsToken });
});
afterAll(() => world.close());

const metrics = async (token: string): Promise<Response> =>
  fetch(`${world.api.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
/** The value of a series, by its name and labels as they stand in the text; 0 where there is none yet. */
async function value(series: string): Promise<number> {
  const text = await (await metrics(metricsToken)).text();
  const [name, labels = ''] = series.split('{');
  const wanted = labels.replace(/\}$/, '').split(',').filter(Boolean);
  const line = text
    .split('\n')
    .find((one) => one.replace(/[{ ].*/, '') === name && wanted.every((label) => one.includes(label)));
  return line ? Number(line.split(' ').at(-1)) : 0;
}

describe('a request', () => {
  it('has the id its caller gave it, or one of its own, which every answer and every problem names', async () => {
    const ask = (id?: string) =>
      fetch(`${world.api.url}/v1/jobs`, { headers: id ? { 'x-request-id': id } : {} });
    const own = await ask('ci-build-12/3');
    expect(own.headers.get('x-request-id')).toBe('ci-build-12/3');
    expect(await own.json()).toMatchObject({ code: 'unauthenticated', requestId: 'ci-build-12/3' });
    const made = (await ask()).headers.get('x-request-id');
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    // A word that could pass for something else in a log is not taken over.
    expect((await ask('{"level":60}')).headers.get('x-request-id')).not.toContain('{');
    const error = await refused(
      world.lab.call(jobRoutes.get, { params: { owner: 'lab', project: 'cats', number: 999 } }),
    );
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    // A stream writes its own head.
    const stream = await world.lab.open(jobRoutes.stream, {}, { signal: AbortSignal.timeout(5000) });
    expect(stream.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await stream.body?.cancel();
  });
});

describe('metrics', () => {
  it('are read by who has the token for them, or an admin, and by nobody else', async () => {
    expect((await fetch(`${world.api.url}/metrics`)).status).toBe(401);
    expect((await metrics('wrong-token-for-prometheus')).status).toBe(401);
    expect((await metrics(world.labToken)).status).toBe(403);
    expect((await metrics(world.workerToken)).status).toBe(403);
    const answer = await metrics(metricsToken);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    // The token opens nothing else.
    const other = createClient({ url: world.api.url, token: metricsToken });
    expect(await refused(other.call(jobRoutes.list, {}))).toMatchObject({ code: 'unauthenticated' });
    await world.api.deps.pool.query(`UPDATE "User" SET role = 'admin' WHERE name = 'lab'`);
    const { token } = await world.lab.call(tokenRoutes.create, {
      body: { name: 'prometheus' },
    });
    expect((await metrics(token)).status).toBe(200);
    await world.api.deps.pool.query(`UPDATE "User" SET role = 'user' WHERE name = 'lab'`);
  });

  it('count what happens to jobs', async () => {
    const ended = 'mycloud_attempts_ended_total{status="failed",reason="exit_nonzero"}';
    const [endedBefore, linesBefore] = [await value(ended), await value('mycloud_log_lines_total')];
    const worker = await world.worker('counted');
    await world.submit();
    const held = await worker.take();
    await worker.status(held, 'running');
    await worker.log(held, 1, ['grüße', 'b']);
    // Said again, a line is counted once.
    await worker.log(held, 1, ['grüße', 'b']);
    await worker.finish(held, { reason: 'exit_nonzero', detail: '1', exitCode: 1, lastSeq: 2 });
    expect(await value(ended)).toBe(endedBefore + 1);
    expect(await value('mycloud_log_lines_total')).toBe(linesBefore + 2);
    expect(await value('mycloud_log_bytes_total')).toBeGreaterThanOrEqual(8);
    expect(await value('mycloud_claim_duration_seconds_count')).toBeGreaterThan(0);
    expect(await value('mycloud_job_wait_seconds_count{machine="cpu"}')).toBeGreaterThan(0);
    const submits =
      'mycloud_http_request_duration_seconds_count{method="POST",route="/v1/projects/:owner/:project/jobs",status="2xx"}';
    expect(await value(submits)).toBeGreaterThan(0);
    expect(await value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  it('have as many series however many addresses are asked for', async () => {
    const series = async () => (await (await metrics(metricsToken)).text()).split('\n').length;
    await fetch(`${world.api.url}/nothing/here`);
    await world.lab.call(projectRoutes.list, {});
    const before = await series();
    for (let i = 0; i < 50; i++) await fetch(`${world.api.url}/nothing/${i}`);
    for (let i = 1; i < 20; i++) {
      await world.lab
        .call(jobRoutes.get, { params: { owner: 'lab', project: `p${i}`, number: i } })
        .catch(() => undefined);
    }
    // Only the 4xx of the one route came.
    expect((await series()) - before).toBeLessThan(40);
  });
});

describe('an api that serves', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApiAlone();
  });
  afterAll(() => api.close());

  it('is ready, until it leaves', async () => {
    const nobody = createClient({ url: api.url });
    expect(await nobody.call(operatingRoutes.ready, {})).toEqual({
      status: 'ready',
      checks: { database: 'ok', migrations: 'ok', store: 'ok', queue: 'ok' },
    });
    await api.deps.pool.query(
      `UPDATE "_prisma_migrations" SET rolled_back_at = now() WHERE migration_name LIKE '0018%'`,
    );
    const old = await refused(nobody.call(operatingRoutes.ready, {}));
    expect(old).toMatchObject({
      code: 'unavailable',
      message: 'not ready: migrations: 0018_schedules not applied',
    });
    await api.deps.pool.query('UPDATE "_prisma_migrations" SET rolled_back_at = NULL');
    await rm(path.join(api.home, 'store'), { recursive: true });
    expect((await refused(nobody.call(operatingRoutes.ready, {}))).details).toMatchObject({
      checks: { database: 'ok', queue: 'ok' },
    });
  });

  it('looks at all it stands on, and says how to mend each thing that is wrong', async () => {
    const { findings } = await api.admin.call(operatingRoutes.checks, {});
    const found = new Map(findings.map((finding) => [finding.name, finding]));
    for (const { name, state, hint } of findings) {
      if (state !== 'ok') expect(hint, name).toMatch(/\w/);
    }
    expect(found.get('Database')).toMatchObject({ state: 'ok' });
    expect(found.get('Database clock')).toMatchObject({ state: 'ok' });
    expect(found.get('Workers')).toMatchObject({ state: 'problem', text: 'there is none yet' });
    // No loop runs in this test.
    expect(found.get('Leases')).toMatchObject({
      state: 'problem',
      text: 'the sweep over leases ran last: never',
    });
  });
});

describe('an api that is told to end', () => {
  it('says first that it is not ready, still answers, tells followers to come again, and ends', async () => {
    const postgres = await startPostgres();
    const home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-ends-'));
    const token = 'myc_the-first-token-of-this-test';
    const main = path.resolve(import.meta.dirname, '../dist/main.js');
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: (await postgres.createDatabase()).url,
        MYCLOUD_HOME: home,
        MYCLOUD_PORT: '0',
        MYCLOUD_BOOTSTRAP_USER: 'root',
        MYCLOUD_BOOTSTRAP_TOKEN: token,
        MYCLOUD_SHUTDOWN_DELAY_SECONDS: '2',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const exited = once(child, 'exit');
      let url = '';
      for await (const line of createInterface({ input: child.stdout })) {
        const said = JSON.parse(line) as { msg: string; url?: string };
        if (said.msg === 'ready') {
          url = said.url ?? '';
          break;
        }
      }
      child.stdout.resume();
      const root = createClient({ url, token });
      await root.call(projectRoutes.create, { body: { name: 'cats' } });
      const params = { owner: 'root', project: 'cats' };
      const job = await root.call(jobRoutes.create, { params, body: { command: 'true' } });
      const following = (await root.open(logRoutes.stream, at(job))).text();

      child.kill('SIGTERM');
      await world.until('it is not ready', async () => {
        const answer = await fetch(`${url}/ready`);
        return answer.status === 503 ? answer : undefined;
      });
      expect(await root.call(machineRoutes.health, {})).toMatchObject({ status: 'ok' });
      expect(await following).toMatch(/retry: 500\nevent: reconnect\ndata: \{\}\n\n$/);
      expect(await exited).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    }
  });
});
