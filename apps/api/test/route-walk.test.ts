import path from 'node:path';
import { sessionRoutes, tokenRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedRoute } from '../src/http/route.js';
import { bearer, type Caller, cookie, knock } from './support/knock.js';
import { rightRequests } from './support/right-requests.js';
import { type Rule, rules } from './support/route-rules.js';
import { type Seeded, startSeededApi } from './support/seeded.js';

/** The owner deletes what the admin is to be let in to: each has a server of his own. */
let worlds: { seeded: Seeded; callers: Caller[] }[];

beforeAll(async () => {
  const [first, second] = await Promise.all([startSeededApi(), startSeededApi()]);
  worlds = [
    { seeded: first, callers: await callersOf(first) },
    { seeded: second, callers: [bearer('admin', second.rootToken, 12)] },
  ];
});
afterAll(async () => {
  for (const { seeded } of worlds) await seeded.close();
});

async function callersOf(seeded: Seeded): Promise<Caller[]> {
  const { api, labToken, eveToken, workerToken, idleToken } = seeded;
  const eve = api.as(eveToken);
  const revoked = await eve.call(tokenRoutes.create, { body: { name: 'revoked' } });
  await eve.call(tokenRoutes.revoke, { params: { id: revoked.id } });
  const expired = await eve.call(tokenRoutes.create, { body: { name: 'expired', expiresInDays: 1 } });
  const past = `UPDATE "Token" SET "expiresAt" = now() - interval '1 second' WHERE id = $1`;
  await api.deps.pool.query(past, [expired.id]);
  const session = async () => {
    const { path: link } = await eve.call(sessionRoutes.createLink, {});
    const response = await fetch(api.url + link, { redirect: 'manual' });
    return response.headers.getSetCookie()[0]!.split(';')[0]!;
  };
  return [
    { name: 'nobody', headers: {}, address: '127.0.0.2' },
    bearer('made-up', `myc_${'x'.repeat(38)}`, 3),
    bearer('revoked', revoked.token, 4),
    bearer('expired', expired.token, 5),
    cookie("another's browser", await session(), false, 6),
    cookie("another's page", await session(), true, 7),
    bearer('another user', eveToken, 8),
    bearer('another worker', idleToken, 9),
    bearer('its worker', workerToken, 10),
    bearer('owner', labToken, 11),
  ];
}

const strangers = ['nobody', 'made-up', 'revoked', 'expired'];
const people = ["another's browser", "another's page", 'another user', 'owner', 'admin'];
const workers = ['its worker', 'another worker'];

/** Who gets past the door by a rule; those who aren't named don't. */
const allowed: Record<Rule, string[]> = {
  anybody: [...strangers, ...people, ...workers],
  user: people,
  owner: ['owner', 'admin'],
  self: ['owner'],
  admin: ['admin'],
  worker: workers,
  holder: ['its worker'],
  'self or holder': ['owner', 'its worker'],
  'reader or holder': ['owner', 'admin', 'its worker'],
  'user or worker': [...people, ...workers],
  address: [],
  'owner or address': ['owner', 'admin'],
  'self or address': ['owner'],
};

const title = (route: ServedRoute): string => `${route.method} ${route.path}`;
const ruleOf = (route: ServedRoute): Rule | undefined =>
  rules.find(([pattern]) => pattern.test(title(route)))?.[1];

function mayEnter(route: ServedRoute, caller: string): boolean {
  const rule = ruleOf(route)!;
  const isCookie = /browser|page/.test(caller);
  // The old floyd's GETs stop jobs: no browser can be led to call them.
  if (isCookie && rule !== 'anybody' && route.path.startsWith('/api/v1/')) return false;
  // A browser that another site leads sends the cookie, and not the page's header.
  if (caller === "another's browser" && rule !== 'anybody' && route.method !== 'GET') return false;
  return allowed[rule].includes(caller);
}

/** What one may not see isn't there; a worker is told that it doesn't hold the lease. */
const isOutside = (status: number, rule: Rule): boolean =>
  [401, 403, 404].includes(status) || (status === 409 && rule.endsWith('holder'));

describe('every route that is served', () => {
  it('lets in whom it should and nobody else', { timeout: 300_000 }, async () => {
    // Who is let in may end and delete: that comes last, and what lies deepest first.
    const turn = ({ method, path: at }: ServedRoute) =>
      method === 'DELETE' ? 1000 - at.length : at.endsWith('/finish') ? 1 : 0;
    const routes = [...worlds[0]!.seeded.api.app.served].sort(
      (a, b) => turn(a) - turn(b) || title(a).localeCompare(title(b)),
    );
    expect(routes.filter((route) => !ruleOf(route)).map(title), 'say in route-rules.ts who may').toEqual([]);
    const rows = new Map(routes.map((route) => [title(route), new Map<string, number>()]));
    const wrong: string[] = [];
    for (const { seeded, callers } of worlds) {
      const requestOf = await rightRequests(seeded);
      for (const caller of callers) {
        for (const route of routes) {
          const status = await knock(seeded.api.url, requestOf(route), caller);
          rows.get(title(route))?.set(caller.name, status);
          const isIn = !isOutside(status, ruleOf(route)!);
          const isBroken = status >= 500 && status !== 503;
          if (isIn !== mayEnter(route, caller.name) || isBroken)
            wrong.push(`${caller.name}: ${title(route)} → ${status}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    await expect(report(routes, rows)).toMatchFileSnapshot(
      path.resolve(import.meta.dirname, '../../../docs/security-routes.md'),
    );
  });
});

function report(routes: ServedRoute[], rows: Map<string, Map<string, number>>): string {
  const names = worlds.flatMap(({ callers }) => callers.map((caller) => caller.name));
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '# Who gets into which route',
    '',
    'Written by `apps/api/test/route-walk.test.ts`, which calls every route that the api has registered as each of these callers, with a request that is right in all but who sends it, about what a user `lab` owns. It fails where somebody gets in whom `test/support/route-rules.ts` doesn’t name for the route, where somebody is kept out whom it names, and for a route that it doesn’t know. `npx vitest run apps/api/test/route-walk.test.ts -u` writes this page anew.',
    '',
    `${rows.size} routes. 401, 403 and 404 are the closed door (what one may not see isn’t there), and 409 where a worker doesn’t hold the lease. Any other answer is to somebody who got in, 400 and 409 too, where what was asked can’t be done now.`,
    '',
    '- **another’s browser**: a session of another user, in a browser that another site leads; **another’s page**: the same on our own page. **another worker**: one that has a good token and doesn’t hold the lease of the job.',
    '- `address`, `owner or address`, `self or address`: a signature, a pass or a secret id in the address lets in; the walk has made-up ones, so that all stay outside. `store.test.ts`, `tensorboards.test.ts`, `serve.test.ts` and `tunnels.test.ts` have good ones.',
    '',
    line(['route', 'who may', ...names]),
    line(['---', '---', ...names.map(() => '---')]),
    ...[...routes]
      .sort((a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method))
      .map((route) => {
        const statuses = names.map((name) => String(rows.get(title(route))?.get(name) ?? ''));
        return line([`\`${title(route)}\``, ruleOf(route)!, ...statuses]);
      }),
    '',
  ].join('\n');
}
