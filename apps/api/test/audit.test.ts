import * as shared from '@mycloud/shared';
import {
  auditRoutes,
  type Client,
  floydRoutes,
  invitationRoutes,
  jobRoutes,
  projectRoutes,
  type RouteContract,
  retentionRoutes,
  sessionRoutes,
  tokenRoutes,
  userRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditAction } from '../src/audit/record.js';
import { expire } from '../src/retention/expire.js';
import { refused } from './support/refused.js';
import { startWorld, type World } from './support/world.js';

let world: World;
let root: Client;
const password = 'correct horse battery';

beforeAll(async () => {
  world = await startWorld({ MYCLOUD_BOOTSTRAP_USER: 'root', MYCLOUD_BOOTSTRAP_TOKEN: 'myc_root-of-audit' });
  root = world.as('myc_root-of-audit');
});
afterAll(() => world.close());

const entries = async (query: { user?: string; action?: string; target?: string; since?: string } = {}) =>
  (await root.call(auditRoutes.list, { query: { limit: 500, ...query } })).items;

const contracts: RouteContract[] = Object.entries(shared)
  .filter(([name]) => name.endsWith('Routes'))
  .flatMap(([, routes]) => Object.values(routes as Record<string, RouteContract>));

describe('the table of routes', () => {
  it('has words for every action of a person, or says that it is a part of another', () => {
    const people = contracts.filter(
      ({ method, auth }) => !['GET', 'HEAD'].includes(method) && auth !== 'worker' && auth !== 'signed',
    );
    expect(people.length).toBeGreaterThan(40);
    const wordless = people.filter(({ audit }) => audit === undefined);
    expect(wordless.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    // Bytes on their way, which become something by an action that is an entry; and questions that are asked by POST.
    const parts = people.filter(({ audit }) => audit === false).map(({ path }) => path);
    expect(parts.sort()).toEqual(
      [
        '/v1/chunks/missing',
        '/v1/packs',
        '/v1/packs/:id/commit',
        '/v1/snapshots',
        '/v1/snapshots/:id/folder',
        '/v1/snapshots/:id/locate',
        '/v1/snapshots/find',
        '/v1/invitations/look',
        floydRoutes.credentials.path,
        floydRoutes.tusCreate.path,
        floydRoutes.tusAppend.path,
      ].sort(),
    );
  });

  it('makes an entry of an action that a new route has no words for', () => {
    const forgotten = { method: 'POST', path: '/v1/x', auth: 'user', tag: 'x', summary: 'Does x' } as const;
    expect(auditAction(forgotten)).toBe('Does x');
    expect(auditAction({ ...forgotten, method: 'GET' })).toBeUndefined();
  });

  it('shows no secret of any body', () => {
    const shown = new Set(contracts.flatMap(({ auditShows }) => auditShows ?? []));
    for (const secret of ['password', 'secret', 'token', 'env', 'command'])
      expect(shown).not.toContain(secret);
  });
});

describe('who did what', () => {
  it('is found with what it was done on, by which token, from where and how it ended', async () => {
    const job = await world.submit({ command: 'true' });
    const at = { params: { owner: 'lab', project: 'cats', number: job.number } };
    expect((await refused(world.eve.call(jobRoutes.stop, at))).code).toBe('not_found');
    await world.lab.call(jobRoutes.stop, at);
    const seen = (await entries({ target: job.name })).map(({ user, via, action, outcome, address }) => ({
      user,
      via,
      action,
      outcome,
      address,
    }));
    const rest = { via: 'test', address: '127.0.0.1' };
    expect(seen).toEqual([
      { user: 'lab', action: 'stop job', outcome: 'done', ...rest },
      { user: 'eve', action: 'stop job', outcome: 'not_found', ...rest },
      { user: 'lab', action: 'submit job', outcome: 'done', ...rest },
    ]);
    const [submitted] = await entries({ action: 'submit job', user: 'lab' });
    expect(submitted?.detail).toMatchObject({ machine: 'cpu', environment: 'default' });
  });

  it('tells logins, refused ones, and by which link', async () => {
    await root.call(userRoutes.create, { body: { name: 'ann', password } });
    await refused(root.call(userRoutes.login, { body: { name: 'ann', password: 'wrong guess' } }));
    await refused(root.call(sessionRoutes.create, { body: { name: 'nobody', password: 'wrong guess' } }));
    const { token } = await root.call(userRoutes.login, { body: { name: 'ann', password } });
    const { path } = await world.as(token).call(sessionRoutes.createLink, {});
    await fetch(world.api.url + path, { redirect: 'manual' });
    await fetch(world.api.url + path, { redirect: 'manual' });
    const logins = (await entries({ action: 'log in' })).map(
      ({ user, target, outcome, via }) => `${user} ${target} ${outcome} ${via}`,
    );
    expect(logins).toEqual([
      'ann  done link',
      'ann ann done password',
      'null nobody unauthenticated password',
      'null ann unauthenticated password',
    ]);
    const [made] = await entries({ action: 'create user' });
    expect(made).toMatchObject({ user: 'root', target: 'ann', detail: { role: 'user' }, via: 'first start' });
  });

  it('holds no secret, whatever was sent', async () => {
    const invitation = await root.call(invitationRoutes.create, { body: { note: 'for Bea' } });
    const token = await root.call(tokenRoutes.create, { body: { name: 'laptop' } });
    await root.call(invitationRoutes.accept, { body: { secret: invitation.secret, name: 'bea', password } });
    await world.submit({ command: 'true', env: { API_KEY: 'hush-hush' } });
    await root.call(tokenRoutes.revoke, { params: { id: token.id } });
    const { rows } = await world.api.deps.pool.query<{ row: string }>(
      'SELECT e::text AS row FROM "AuditEntry" e',
    );
    const all = rows.map(({ row }) => row).join('\n');
    for (const secret of [invitation.secret, token.token, password, 'hush-hush'])
      expect(all).not.toContain(secret);
    expect(all).toContain('laptop of root');
    const [accepted] = await entries({ action: 'accept invitation' });
    expect(accepted).toMatchObject({ user: 'bea', via: 'invitation', outcome: 'done' });
  });

  it('leaves no entry of what anybody could send without end', async () => {
    const before = (await entries()).length;
    await fetch(`${world.api.url}/v1/projects`, { method: 'POST' });
    await fetch(`${world.api.url}/v1/login`, { method: 'POST', body: 'junk' });
    await fetch(`${world.api.url}/open/made-up`, { redirect: 'manual' });
    await world.lab.call(projectRoutes.list, {});
    expect((await entries()).length).toBe(before);
  });

  it('is read by admins alone, page by page, and by time', async () => {
    expect((await refused(world.lab.call(auditRoutes.list, {}))).code).toBe('forbidden');
    const all = await entries();
    const pages: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const answer = await root.call(auditRoutes.list, { query: { limit: 3, cursor } });
      pages.push(...answer.items.map(({ id }) => id));
      cursor = answer.nextCursor;
    }
    expect(pages).toEqual(all.map(({ id }) => id));
    expect(await entries({ since: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
  });
});

describe('retention', () => {
  const days = (table: string, column: string, where: string, count: number) =>
    world.api.deps.pool.query(
      `UPDATE "${table}" SET "${column}" = now() - make_interval(days => $1) WHERE ${where}`,
      [count],
    );

  it('is for ever unless an admin says so; logs as the server is configured', async () => {
    expect(await root.call(retentionRoutes.get, {})).toEqual({
      logs: 90,
      outputs: null,
      metrics: null,
      audit: null,
    });
    expect((await refused(world.lab.call(retentionRoutes.get, {}))).code).toBe('forbidden');
    const error = await refused(root.call(retentionRoutes.set, { body: { logs: 0 } }));
    expect(error.code).toBe('bad_request');
  });

  it('takes old outputs, but none that something refers to, and says so', async () => {
    const worker = await world.worker('w');
    // What earlier tests left in the line.
    for (let held = await worker.claim(); held; held = await worker.claim()) await worker.finish(held);
    const jobs = [];
    for (let i = 0; i < 3; i++) {
      const job = await world.submit();
      const held = await worker.take();
      await worker.metrics(held, crypto.randomUUID(), [{ name: 'loss', step: 1, value: 0.5 }]);
      await worker.finish(held, { outputSnapshotId: await world.snapshot() });
      jobs.push(job);
    }
    const [old, mounted, young] = jobs as [(typeof jobs)[0], (typeof jobs)[0], (typeof jobs)[0]];
    await world.submit({ mounts: [{ source: `${mounted.name}/output`, name: 'input' }] });
    await days('Job', 'finishedAt', `id IN ('${old.id}', '${mounted.id}')`, 40);
    await expire(world.api.deps);
    expect((await world.get(old)).outputSnapshotId).not.toBeNull();
    await root.call(retentionRoutes.set, { body: { outputs: 30 } });
    await expire(world.api.deps);
    expect((await world.get(old)).outputSnapshotId).toBeNull();
    for (const job of [mounted, young]) expect((await world.get(job)).outputSnapshotId).not.toBeNull();
    const { items } = await world.lab.call(jobRoutes.events, {
      params: { owner: 'lab', project: 'cats', number: old.number },
    });
    expect(items.at(-1)?.message).toContain('outputs are kept for 30 days');
    // Metrics are another setting.
    const points = async (id: string) =>
      (await world.api.deps.pool.query('SELECT 1 FROM "Metric" WHERE "jobId" = $1', [id])).rowCount;
    expect(await points(old.id)).toBe(1);
    await root.call(retentionRoutes.set, { body: { metrics: 30 } });
    await expire(world.api.deps);
    expect([await points(old.id), await points(young.id)]).toEqual([0, 1]);
    expect(await root.call(retentionRoutes.get, {})).toMatchObject({ outputs: 30, metrics: 30, audit: null });
  });

  it('bounds the audit trail too, which tells who set it', async () => {
    await days('AuditEntry', 'time', `action = 'log in'`, 10);
    await root.call(retentionRoutes.set, { body: { audit: 7 } });
    await expire(world.api.deps);
    expect(await entries({ action: 'log in' })).toEqual([]);
    const [set] = await entries({ action: 'set retention' });
    expect(set).toMatchObject({ user: 'root', detail: { audit: 7 } });
  });
});

describe('an invitation', () => {
  it('makes its user once, with the role and the team it offers', async () => {
    await root.call(shared.teamRoutes.create, { body: { name: 'vision' } });
    const made = await root.call(invitationRoutes.create, {
      body: { team: 'vision', teamRole: 'viewer', note: 'for Cleo' },
    });
    expect(made.path).toBe(`/invite#${made.secret}`);
    const nobody = shared.createClient({ url: world.api.url });
    const offer = await nobody.call(invitationRoutes.look, { body: { secret: made.secret } });
    expect(offer).toMatchObject({ role: 'user', team: 'vision', teamRole: 'viewer', invitedBy: 'root' });
    const accept = (name: string) =>
      nobody.call(invitationRoutes.accept, { body: { secret: made.secret, name, password } });
    expect((await refused(accept('root'))).message).toContain('there is a user root already');
    const ends = await Promise.allSettled([accept('cleo'), accept('carl')]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { items } = await root.call(invitationRoutes.list, {});
    const taken = items.find(({ id }) => id === made.id);
    expect(taken).toMatchObject({ state: 'accepted', note: 'for Cleo' });
    const { token } = await nobody.call(userRoutes.login, { body: { name: taken!.acceptedBy!, password } });
    const teams = await world.as(token).call(shared.teamRoutes.list, {});
    expect(teams.items).toMatchObject([{ name: 'vision', role: 'viewer' }]);
    expect((await refused(accept('dora'))).message).toContain('used already');
    expect((await refused(root.call(invitationRoutes.revoke, { params: { id: made.id } }))).code).toBe(
      'conflict',
    );
  });

  it('ends when it is taken back, and when its time is over', async () => {
    const nobody = shared.createClient({ url: world.api.url });
    const look = (secret: string) => refused(nobody.call(invitationRoutes.look, { body: { secret } }));
    const first = await root.call(invitationRoutes.create, { body: { role: 'admin' } });
    await root.call(invitationRoutes.revoke, { params: { id: first.id } });
    expect((await look(first.secret)).message).toContain('taken back');
    const second = await root.call(invitationRoutes.create, { body: {} });
    await world.api.deps.pool.query(`UPDATE "Invitation" SET "expiresAt" = now() WHERE id = $1`, [second.id]);
    expect((await look(second.secret)).message).toContain('expired');
    expect((await look('made-up')).code).toBe('not_found');
    expect((await refused(world.lab.call(invitationRoutes.create, { body: {} }))).code).toBe('forbidden');
  });
});
