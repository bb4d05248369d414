import { randomUUID } from 'node:crypto';
import * as shared from '@mycloud/shared';
import {
  type Client,
  pageHeader,
  type RouteContract,
  sessionRoutes,
  snapshotRoutes,
  storeRoutes,
  tokenRoutes,
  userRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
let ann: Client;
let workerToken: string;
const password = 'correct horse battery';

beforeAll(async () => {
  api = await startApiAlone();
  ann = await api.user('ann');
  workerToken = await api.workerToken();
});
afterAll(async () => {
  await api.close();
});

/** Every contract of packages/shared: the exports named …Routes. */
const contracts: RouteContract[] = Object.entries(shared)
  .filter(([name]) => name.endsWith('Routes'))
  .flatMap(([, routes]) => Object.values(routes as Record<string, RouteContract>));
const title = (route: RouteContract) => `${route.method} ${route.path}`;

/** Calls a route with nothing right in it but who calls. */
async function knock(route: RouteContract, token?: string): Promise<{ status: number; code: string }> {
  const url = api.url + route.path.replace(/:[A-Za-z]+/g, () => randomUUID());
  const response = await fetch(url, {
    method: route.method,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  const text = await response.text();
  return { status: response.status, code: text.startsWith('{') ? JSON.parse(text).code : '' };
}

/** An answer to HEAD has no body to hold a code. */
const refusal = (route: RouteContract, status: number, code: string) => ({
  status,
  code: route.method === 'HEAD' ? '' : code,
});

/** The same with a session cookie of a user; a page also sends its header. */
async function knockByCookie(route: RouteContract, cookie: string, page: boolean) {
  const url = api.url + route.path.replace(/:[A-Za-z]+/g, () => randomUUID());
  const headers: Record<string, string> = page ? { cookie, [pageHeader]: '1' } : { cookie };
  const leaving = new AbortController();
  const response = await fetch(url, { method: route.method, headers, signal: leaving.signal });
  leaving.abort();
  return response.status;
}

/** A session's own cookie: those that log out would end it for the others. */
async function cookieOf(client: Client): Promise<string> {
  const { path } = await client.call(sessionRoutes.createLink, {});
  const response = await fetch(api.url + path, { redirect: 'manual' });
  return response.headers.getSetCookie()[0]!.split(';')[0]!;
}

async function tokenOf(client: Client): Promise<string> {
  return (await client.call(tokenRoutes.create, { body: { name: 'test' } })).token;
}

describe('who may call a route', () => {
  it('is said by a contract for every route that is served, and every contract is served', async () => {
    const spec = (await (await fetch(`${api.url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const served = Object.entries(spec.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    const described = contracts.filter((route) => !route.wire);
    expect(served.sort()).toEqual(described.map(title).sort());
    // The old floyd's wire is left out of the description, and served all the same.
    const wire = contracts.filter((route) => route.wire);
    expect(wire.length).toBeGreaterThan(20);
    for (const { method, path } of wire) expect(api.app.hasRoute({ method, url: path }), path).toBe(true);
  });

  it.each(contracts.map((route) => [title(route), route] as const))('%s', async (_, route) => {
    const user = await tokenOf(ann);
    const nobody = await knock(route);
    if (route.auth === 'none') {
      expect(nobody.status).not.toBe(401);
      return;
    }
    if (route.auth === 'signed') {
      // Without a signature the query breaks the schema; a made-up one is refused below.
      expect(nobody.status).toBe(400);
      return;
    }
    const unknown = refusal(route, 401, 'unauthenticated');
    expect(nobody).toEqual(unknown);
    expect(await knock(route, 'myc_madeup')).toEqual(unknown);
    const barred = refusal(route, 403, 'forbidden');
    if (route.auth === 'user' || route.auth === 'admin')
      expect(await knock(route, workerToken)).toEqual(barred);
    if (route.auth === 'worker') expect(await knock(route, user)).toEqual(barred);
    if (route.auth === 'admin') expect(await knock(route, user)).toEqual(barred);
    if (route.auth === 'user' && !route.raw?.response?.includes('event-stream'))
      expect((await knock(route, user)).status).not.toBe(401);

    // A cookie of the page stands for the same user, and writes only with the page's header.
    const byPage = await knockByCookie(route, await cookieOf(ann), true);
    const byOther = await knockByCookie(route, await cookieOf(ann), false);
    if (route.wire) {
      // One of its GETs stops a job: another site could have a browser send it.
      expect([byPage, byOther]).toEqual([401, 401]);
      return;
    }
    const may = route.auth === 'user' || route.auth === 'user_or_worker';
    if (may) expect([401, 403]).not.toContain(byPage);
    else expect(byPage).toBe(403);
    expect(byOther).toBe(route.method === 'GET' && may ? byPage : 403);
  });

  it('refuses a made-up signature of the store', async () => {
    const query = { expires: 4_000_000_000, signature: 'f'.repeat(64) };
    const params = { key: 'packs/x' };
    const got = await refused(api.as().open(storeRoutes.get, { params, query }));
    expect(got.code).toBe('forbidden');
    const put = { ...query, size: 1, checksum: `sha256:${'a'.repeat(64)}` };
    const sent = await refused(api.as().open(storeRoutes.put, { params, query: put }, { rawBody: 'x' }));
    expect(sent.code).toBe('forbidden');
  });
});

describe('a token', () => {
  it('ends the moment it is revoked, and is told apart from one never known', async () => {
    const made = await ann.call(tokenRoutes.create, { body: { name: 'laptop' } });
    expect(made.token).toMatch(/^myc_[0-9A-Za-z]{38}$/);
    expect(made.token.endsWith(made.last4)).toBe(true);
    const laptop = api.as(made.token);
    expect((await laptop.call(userRoutes.me, {})).name).toBe('ann');
    await ann.call(tokenRoutes.revoke, { params: { id: made.id } });
    const error = await refused(laptop.call(userRoutes.me, {}));
    expect(error.code).toBe('unauthenticated');
    expect(error.message).toContain('revoked');
    expect((await refused(api.as('myc_nonsense').call(userRoutes.me, {}))).message).toContain('not known');
  });

  it('is never shown again, and its secret is nowhere in the database', async () => {
    const { token, id } = await ann.call(tokenRoutes.create, { body: { name: 'once' } });
    const { items } = await ann.call(tokenRoutes.list, {});
    expect(items.some((item) => item.id === id)).toBe(true);
    expect(JSON.stringify(items)).not.toContain(token);
    const { rows } = await api.deps.pool.query('SELECT t::text AS row FROM "Token" t');
    expect(rows.some(({ row }) => String(row).includes(token))).toBe(false);
  });

  it('of another can be neither seen nor revoked', async () => {
    const bob = await api.user('bob');
    const { id } = await ann.call(tokenRoutes.create, { body: { name: 'mine' } });
    expect((await refused(bob.call(tokenRoutes.revoke, { params: { id } }))).code).toBe('not_found');
    const { items } = await bob.call(tokenRoutes.list, {});
    expect(items.map((item) => item.name)).toEqual(['login']);
  });

  it('for workers is made by admins only', async () => {
    const error = await refused(ann.call(tokenRoutes.create, { body: { name: 'w', kind: 'worker' } }));
    expect(error.code).toBe('forbidden');
    expect(workerToken).toMatch(/^mycw_/);
  });

  it('expires', async () => {
    const { token, id } = await ann.call(tokenRoutes.create, { body: { name: 'short', expiresInDays: 1 } });
    await api.deps.pool.query(`UPDATE "Token" SET "expiresAt" = now() - interval '1 second' WHERE id = $1`, [
      id,
    ]);
    expect((await refused(api.as(token).call(userRoutes.me, {}))).message).toContain('expired');
  });
});

describe('a user', () => {
  it('logs in with name and password, and nobody learns which of them was wrong', async () => {
    await api.admin.call(userRoutes.create, { body: { name: 'carl', password } });
    const { token, user } = await api.as().call(userRoutes.login, { body: { name: 'carl', password } });
    expect(user.role).toBe('user');
    expect((await api.as(token).call(userRoutes.me, {})).name).toBe('carl');
    const wrong = await refused(api.as().call(userRoutes.login, { body: { name: 'carl', password: 'no' } }));
    const unknown = await refused(api.as().call(userRoutes.login, { body: { name: 'nobody', password } }));
    expect([wrong.code, wrong.message]).toEqual([unknown.code, unknown.message]);
  });

  it('can be guessed at only so often a minute', async () => {
    const guess = () =>
      refused(api.as().call(userRoutes.login, { body: { name: 'victim', password: 'guess' } }));
    const codes = new Set<string>();
    for (let i = 0; i < 12; i++) codes.add((await guess()).code);
    expect(codes).toContain('too_many_requests');
  });

  it('has a name of his own, even when two are made at once', async () => {
    const make = () => api.admin.call(userRoutes.create, { body: { name: 'dora', password } });
    const ends = await Promise.allSettled([make(), make()]);
    expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await refused(make())).code).toBe('conflict');
  });
});

describe('an answer that is no success', () => {
  it('is problem+json, also for a route that is none', async () => {
    const response = await fetch(`${api.url}/v1/nothing-here?token=secret`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = await response.json();
    expect(problem).toMatchObject({ status: 404, code: 'not_found' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('lists every problem of a body at once', async () => {
    const body = { name: 'Bad Name', password: 'short', role: 'king' } as never;
    const error = await refused(api.admin.call(userRoutes.create, { body }));
    expect(error.code).toBe('bad_request');
    expect(error.errors?.map((issue) => issue.path).sort()).toEqual(['name', 'password', 'role']);
  });

  it('says what is wrong with a body that is no JSON, too long, or of another type', async () => {
    const send = async (body: string, type = 'application/json') => {
      const headers = { authorization: `Bearer ${await tokenOf(api.admin)}`, 'content-type': type };
      const response = await fetch(`${api.url}/v1/users`, { method: 'POST', headers, body });
      return ((await response.json()) as { code: string }).code;
    };
    expect(await send('{')).toBe('bad_request');
    expect(await send('<x/>', 'text/xml')).toBe('bad_request');
    expect(await send(JSON.stringify({ name: 'x'.repeat(40_000_000) }))).toBe('too_large');
  });

  it('tells nothing of the inside when something unexpected happens', async () => {
    await api.deps.pool.query('ALTER TABLE "Token" RENAME COLUMN "lastUsedAt" TO "hidden"');
    try {
      const error = await refused(ann.call(tokenRoutes.list, {}));
      expect(error.code).toBe('internal');
      expect(error.message).not.toMatch(/column|Token|prisma/i);
    } finally {
      await api.deps.pool.query('ALTER TABLE "Token" RENAME COLUMN "hidden" TO "lastUsedAt"');
    }
  });

  it('is given before the body is read when the caller may not call', async () => {
    const response = await fetch(api.url + snapshotRoutes.missing.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'this is no JSON',
    });
    expect(response.status).toBe(401);
  });
});
