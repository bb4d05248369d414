import { once } from 'node:events';
import {
  createClient,
  machineRoutes,
  sessionRoutes,
  tensorboardRoutes,
  tokenRoutes,
  userRoutes,
  workerRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hashPassword } from '../src/http/passwords.js';
import { refused } from './support/refused.js';
import { startWorld, type TestApi, type World } from './support/world.js';

let world: World;
let near: TestApi;
let far: TestApi;

beforeAll(async () => {
  world = await startWorld();
  near = world.api;
  far = await world.startApi();
  await near.deps.pool.query(`UPDATE "User" SET role = 'admin', "passwordHash" = $1 WHERE name = 'lab'`, [
    await hashPassword('correct horse'),
  ]);
});
afterAll(() => world.close());

const at = (api: TestApi, token?: string) => createClient({ url: api.url, token });
const createToken = (kind: 'user' | 'worker') =>
  world.lab.call(tokenRoutes.create, { body: { name: 'short-lived', kind } });

describe('a token revoked at one api', () => {
  it('opens nothing at the other from then on, though it was believed there a moment ago', async () => {
    const { token, id } = await createToken('user');
    expect((await at(far, token).call(userRoutes.me, {})).name).toBe('lab');
    await world.lab.call(tokenRoutes.revoke, { params: { id } });
    await world.until('the other api has heard of it', async () => {
      const answer = await refused(at(far, token).call(userRoutes.me, {})).catch(() => undefined);
      return answer?.message === 'this token was revoked' ? true : undefined;
    });
  });

  it('ends a worker’s command stream and connections there, and its next call is refused', async () => {
    const { token, id } = await createToken('worker');
    const worker = await world.worker('leaving', { token, api: far });
    const response = await worker.client.open(workerRoutes.commands, { query: { workerId: worker.id } });
    const ended = response.text();
    await world.lab.call(tokenRoutes.revoke, { params: { id } });
    await ended;
    expect((await refused(worker.heartbeat())).code).toBe('unauthenticated');
    expect((await refused(worker.claim())).code).toBe('unauthenticated');
  });

  it('ends the shell that was opened by it', async () => {
    const job = await world.submit();
    const worker = await world.worker('holder');
    await worker.listen();
    await worker.status(await worker.take(), 'running');
    const { token, id } = await createToken('user');
    const path = `/v1/projects/lab/cats/jobs/${job.number}/exec`;
    const headers = { authorization: `Bearer ${token}` };
    const shell = new WebSocket(near.url.replace('http', 'ws') + path, { headers });
    const dial = await world.until('the worker is told to dial', async () =>
      worker.commands.find((command) => command.type === 'dial'),
    );
    const tunnel = new WebSocket(`${near.url.replace('http', 'ws')}/v1/worker/tunnels/${dial.tunnelId}`, {
      headers: { authorization: `Bearer ${world.workerToken}` },
    });
    await Promise.all([once(shell, 'open'), once(tunnel, 'open')]);
    shell.send(JSON.stringify({ command: [], terminal: null }));
    await once(tunnel, 'message');
    const over = once(tunnel, 'close');
    await at(far, world.labToken).call(tokenRoutes.revoke, { params: { id } });
    await over;
  });
});

it('ends a session for both', async () => {
  const login = { name: 'lab', password: 'correct horse' };
  const headers = { 'content-type': 'application/json', 'x-mycloud-page': '1' };
  const begun = await fetch(`${near.url}${sessionRoutes.create.path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(login),
  });
  const secret = /=([^;]+)/.exec(begun.headers.get('set-cookie') ?? '')?.[1];
  const cookieAt = ({ url }: TestApi) => `mycloud_${new URL(url).port}=${secret}`;
  const me = (api: TestApi) =>
    fetch(`${api.url}${userRoutes.me.path}`, { headers: { cookie: cookieAt(api) } });
  expect((await me(far)).status).toBe(200);
  const ended = await fetch(`${near.url}${sessionRoutes.end.path}`, {
    method: 'DELETE',
    headers: { 'x-mycloud-page': '1', cookie: cookieAt(near) },
  });
  expect(ended.status).toBe(204);
  await world.until('the other api has heard of it', async () =>
    (await me(far)).status === 401 ? true : undefined,
  );
});

it('counts guesses of a password wherever they are made', async () => {
  const guess = (api: TestApi) =>
    refused(at(api).call(userRoutes.login, { body: { name: 'eve', password: 'a guess' } }));
  const codes: string[] = [];
  for (let i = 0; i < 12; i++) codes.push((await guess(i % 2 ? near : far)).code);
  // One may have been spent on the session above: it came from this address, too.
  const tried = codes.filter((code) => code === 'unauthenticated').length;
  expect([9, 10]).toContain(tried);
  expect(codes.slice(tried)).toEqual(Array.from({ length: 12 - tried }, () => 'too_many_requests'));
});

it('counts guesses by the address that a trusted proxy tells, and by its own where it is none', async () => {
  const behind = await world.startApi({ MYCLOUD_TRUSTED_PROXIES: '10.9.0.0/16, 127.0.0.1' });
  const guess = async (api: TestApi, from: string, name: string) => {
    const answer = await fetch(`${api.url}${userRoutes.login.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ name, password: 'a guess' }),
    });
    return answer.status;
  };
  for (let i = 0; i < 12; i++) expect(await guess(behind, `192.0.2.${i}`, `nobody-${i}`)).toBe(401);
  const direct: number[] = [];
  for (let i = 0; i < 12; i++) direct.push(await guess(near, `192.0.2.${i}`, `no-one-${i}`));
  expect(direct.slice(10)).toEqual([429, 429]);
});

it('answers for another api that is gone without a word', async () => {
  await near.deps.pool.query(
    `INSERT INTO "Api" (id, url) SELECT gen_random_uuid(), 'http://127.0.0.1:' || n FROM generate_series(1, 20) n`,
  );
  const alone = await world.startApi({ MYCLOUD_ADVERTISE_URL: 'http://127.0.0.1:2' });
  const job = await world.submit();
  const query = { jobs: job.name };
  const { state } = await at(alone, world.labToken).call(tensorboardRoutes.get, { query });
  expect(['no_events', 'not_installed']).toContain(state);
});

describe('a worker that an admin removes', () => {
  const remove = (id: string, force?: 'true') =>
    at(far, world.labToken).call(machineRoutes.removeWorker, {
      params: { id },
      query: force ? { force } : {},
    });

  it('is refused from then on with its token, and shown no more', async () => {
    const { token } = await createToken('worker');
    const worker = await world.worker('retired', { token });
    const response = await worker.client.open(workerRoutes.commands, { query: { workerId: worker.id } });
    const ended = response.text();
    expect(await remove(worker.id)).toEqual({ name: 'retired', jobs: 0, tokenRevoked: true });
    await ended;
    expect((await refused(worker.heartbeat())).message).toBe('this token was revoked');
    const { items } = await world.lab.call(machineRoutes.workers, {});
    expect(items.map(({ name }) => name)).not.toContain('retired');
    expect((await refused(remove(worker.id))).code).toBe('not_found');
  });

  it('leaves others their shared token, and is told who removed it', async () => {
    const { token } = await createToken('worker');
    const [one, other] = [await world.worker('one', { token }), await world.worker('other', { token })];
    expect((await remove(one.id)).tokenRevoked).toBe(false);
    expect(await refused(one.heartbeat())).toMatchObject({
      code: 'forbidden',
      message: 'worker one was removed by lab',
    });
    expect((await other.heartbeat()).refused).toEqual([]);
    const again = await world.worker('one', { token });
    expect(again.id).toBe(one.id);
    expect((await again.heartbeat()).refused).toEqual([]);
  });

  it('keeps its jobs unless they are to be tried again by others', async () => {
    const worker = await world.worker('busy', { machines: ['cpu2'] });
    const job = await world.submit({ machine: 'cpu2' });
    const held = await worker.take();
    await worker.status(held, 'running');
    expect(await refused(remove(worker.id))).toMatchObject({
      code: 'conflict',
      message: 'worker busy runs a job',
    });
    expect(await remove(worker.id, 'true')).toMatchObject({ jobs: 1 });
    expect((await refused(worker.status(held, 'saving'))).code).toBe('stale_fence');
    expect((await world.get(job)).status).toBe('queued');
    const next = await world.worker('next', { machines: ['cpu2'] });
    expect(await next.take()).toMatchObject({ jobId: job.id, attempt: 2 });
  });

  it('is removed by an admin only', async () => {
    const worker = await world.worker('safe');
    const asked = world.eve.call(machineRoutes.removeWorker, { params: { id: worker.id }, query: {} });
    expect((await refused(asked)).code).toBe('forbidden');
  });
});
