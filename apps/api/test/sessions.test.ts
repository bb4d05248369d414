import { type Client, pageHeader, sessionRoutes, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { type RunningApi, startApi } from './support/api.js';
import { refused } from './support/refused.js';

let postgres: TestPostgres;
let api: RunningApi;
let second: RunningApi;
let ann: Client;
const password = 'correct horse battery';

beforeAll(async () => {
  postgres = await startPostgres();
  const { url } = await postgres.createDatabase();
  api = await startApi(url);
  second = await startApi(url);
  ann = await api.user('ann');
  await api.admin.call(userRoutes.create, { body: { name: 'bea', password } });
});
afterAll(async () => {
  await second.close();
  await api.close();
  await postgres.stop();
});

const json = { 'content-type': 'application/json' };
const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
const me = (cookie: string, at = api.url) => fetch(`${at}/v1/me`, { headers: { cookie } });
const login = (body: object) =>
  fetch(`${api.url}/v1/session`, { method: 'POST', headers: json, body: JSON.stringify(body) });

async function loggedIn(): Promise<string> {
  const { path } = await ann.call(sessionRoutes.createLink, {});
  return cookieOf(await fetch(api.url + path, { redirect: 'manual' }));
}

describe('a link that opens the page', () => {
  it('logs its user in once, by a cookie that scripts and other sites have no use of', async () => {
    const { path, expiresAt } = await ann.call(sessionRoutes.createLink, {});
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThan(20 * 60_000);
    const response = await fetch(`${api.url}${path}?to=/ann/projects/cats/1`, { redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/ann/projects/cats/1');
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(await (await me(cookieOf(response))).json()).toMatchObject({ name: 'ann' });

    const again = await fetch(api.url + path, { redirect: 'manual' });
    expect(again.headers.get('location')).toMatch(/^\/login\?link=used/);
    expect(again.headers.getSetCookie()).toEqual([]);
  });

  it('is taken by one of two that come at once', async () => {
    const { path } = await ann.call(sessionRoutes.createLink, {});
    const taken = await Promise.all([
      fetch(api.url + path, { redirect: 'manual' }),
      fetch(second.url + path, { redirect: 'manual' }),
    ]);
    expect(taken.filter((response) => response.headers.getSetCookie().length > 0)).toHaveLength(1);
  });

  it('ends after its time', async () => {
    const { path } = await ann.call(sessionRoutes.createLink, {});
    await api.deps.pool.query(`UPDATE "OpenLink" SET "expiresAt" = now() - interval '1 second'`);
    const response = await fetch(api.url + path, { redirect: 'manual' });
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', '/v1/me', 'javascript:alert(1)'])(
    'leads to the page and nowhere else: %s',
    async (to) => {
      const { path } = await ann.call(sessionRoutes.createLink, {});
      const response = await fetch(`${api.url}${path}?to=${encodeURIComponent(to)}`, { redirect: 'manual' });
      expect(response.headers.get('location')).toBe('/');
    },
  );

  it('leads who is logged in on, though it was used', async () => {
    const { path } = await ann.call(sessionRoutes.createLink, {});
    const cookie = cookieOf(await fetch(api.url + path, { redirect: 'manual' }));
    const again = await fetch(`${api.url}${path}?to=/cluster`, { redirect: 'manual', headers: { cookie } });
    expect(again.headers.get('location')).toBe('/cluster');
  });
});

describe('a session', () => {
  it('is begun by name and password, and known to every api on the database', async () => {
    const response = await login({ name: 'bea', password });
    expect(await response.json()).toMatchObject({ name: 'bea' });
    // The port of the api is part of the cookie's name: the second's own browser would send it under its own.
    const secret = cookieOf(response).split('=')[1];
    const port = new URL(second.url).port;
    const there = await me(`mycloud_${port}=${secret}`, second.url);
    expect(await there.json()).toMatchObject({ name: 'bea' });
  });

  it('is not begun by a wrong password, nor by a made-up cookie', async () => {
    expect((await login({ name: 'bea', password: 'wrong' })).status).toBe(401);
    expect((await me(`mycloud_${new URL(api.url).port}=madeup`)).status).toBe(401);
  });

  it('writes only with the header that the page alone can send, and from its own origin', async () => {
    const cookie = await loggedIn();
    const make = (headers: Record<string, string>) =>
      fetch(`${api.url}/v1/projects`, {
        method: 'POST',
        headers: { ...json, cookie, ...headers },
        body: JSON.stringify({ name: 'forged' }),
      });
    expect((await make({})).status).toBe(403);
    expect((await make({ [pageHeader]: '1', origin: 'http://evil.example' })).status).toBe(403);
    expect((await make({ [pageHeader]: '1', origin: 'null' })).status).toBe(403);
    expect((await make({ [pageHeader]: '1', origin: api.url })).status).toBe(201);
  });

  it('ends by logging out', async () => {
    const cookie = await loggedIn();
    const out = await fetch(`${api.url}/v1/session`, {
      method: 'DELETE',
      headers: { cookie, [pageHeader]: '1' },
    });
    expect(out.status).toBe(204);
    expect((await me(cookie)).status).toBe(401);
    expect((await refused(ann.call(sessionRoutes.end, {}))).code).toBe('bad_request');
  });

  it('ends when it was not used for long', async () => {
    const cookie = await loggedIn();
    await api.deps.pool.query(`UPDATE "Session" SET "expiresAt" = now() - interval '1 second'`);
    expect((await me(cookie)).status).toBe(401);
  });

  it('keeps no secret in the database', async () => {
    const secret = (await loggedIn()).split('=')[1] as string;
    const { rows } = await api.deps.pool.query('SELECT s::text AS row FROM "Session" s');
    expect(rows.some(({ row }) => String(row).includes(secret))).toBe(false);
  });
});
