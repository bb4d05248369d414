import {
  type Client,
  datasetRoutes,
  execRoutes,
  jobRoutes,
  projectRoutes,
  snapshotRoutes,
  storageRoutes,
  teamRoutes,
  tokenRoutes,
  userRoutes,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetOldRows } from '../src/jobs/reconcile.js';
import { refused } from './support/refused.js';
import { startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let root: Client;
let ann: Client;
let max: Client;
let vic: Client;
let eve: Client;
let worker: TestWorker;
const password = 'correct horse battery';

async function person(name: string): Promise<Client> {
  await root.call(userRoutes.create, { body: { name, password } });
  const { token } = await root.call(userRoutes.login, { body: { name, password } });
  return world.as(token);
}

/** A team of one admin (ann), one member (max) and one viewer (vic), with a private project; eve is in none. */
beforeAll(async () => {
  world = await startWorld({ MYCLOUD_BOOTSTRAP_USER: 'root', MYCLOUD_BOOTSTRAP_TOKEN: 'myc_root-of-teams' });
  root = world.as('myc_root-of-teams');
  [ann, max, vic, eve] = [await person('ann'), await person('max'), await person('vic'), world.eve];
  await root.call(teamRoutes.create, { body: { name: 'vision', admin: 'ann' } });
  const add = (user: string, role?: 'member' | 'viewer') =>
    ann.call(teamRoutes.setMember, { params: { team: 'vision', user }, body: { role } });
  await add('max');
  await add('vic', 'viewer');
  await max.call(projectRoutes.create, { body: { owner: 'vision', name: 'dogs' } });
  worker = await world.worker('w');
});
afterAll(() => world.close());

const dogs = { params: { owner: 'vision', project: 'dogs' } };
const submit = (client: Client) => client.call(jobRoutes.create, { ...dogs, body: { command: 'true' } });
const ofJob = (number: number) => ({ params: { ...dogs.params, number } });

/** Submits a job, lets the worker run it to its end, and answers its number. */
async function ended(client: Client): Promise<number> {
  const { number } = await submit(client);
  const held = await worker.take();
  await worker.finish(held);
  return number;
}

describe('a team', () => {
  it('is made by an admin of the server, under a name that no user and no address has', async () => {
    expect((await refused(ann.call(teamRoutes.create, { body: { name: 'sound' } }))).code).toBe('forbidden');
    for (const name of ['ann', 'vision', 'v1', 'invite']) {
      expect((await refused(root.call(teamRoutes.create, { body: { name } }))).code).toBe('conflict');
    }
    const user = root.call(userRoutes.create, { body: { name: 'vision', password } });
    expect((await refused(user)).message).toContain('team vision');
  });

  it('is seen by who is in it', async () => {
    const names = async (client: Client) =>
      (await client.call(teamRoutes.list, {})).items.map(({ name, role }) => `${name}: ${role}`);
    expect(await names(ann)).toEqual(['vision: admin']);
    expect(await names(vic)).toEqual(['vision: viewer']);
    expect(await names(eve)).toEqual([]);
    expect(await names(root)).toEqual(['vision: null']);
    const { members } = await vic.call(teamRoutes.get, { params: { team: 'vision' } });
    expect(members.map(({ user, role }) => `${user}: ${role}`)).toEqual([
      'ann: admin',
      'max: member',
      'vic: viewer',
    ]);
    expect((await refused(eve.call(teamRoutes.get, { params: { team: 'vision' } }))).code).toBe('not_found');
  });

  it('is no user: it is in no list of users, and nobody can log in as it', async () => {
    const { items } = await root.call(userRoutes.list, { query: { limit: 500 } });
    expect(items.map(({ name }) => name)).not.toContain('vision');
    const login = root.call(userRoutes.login, { body: { name: 'vision', password } });
    expect((await refused(login)).code).toBe('unauthenticated');
  });

  it('always keeps an admin, unless the server’s admins say otherwise', async () => {
    const leave = { params: { team: 'vision', user: 'ann' } };
    expect((await refused(ann.call(teamRoutes.removeMember, leave))).code).toBe('conflict');
    const step = ann.call(teamRoutes.setMember, { ...leave, body: { role: 'viewer' } });
    expect((await refused(step)).code).toBe('conflict');
  });

  it('says who is in it by its admins alone; anybody may leave', async () => {
    await person('ned');
    const add = (client: Client) =>
      client.call(teamRoutes.setMember, { params: { team: 'vision', user: 'ned' }, body: {} });
    for (const client of [max, vic]) expect((await refused(add(client))).code).toBe('forbidden');
    expect((await refused(add(eve))).code).toBe('not_found');
    expect((await add(ann)).role).toBe('member');
    const { token } = await root.call(userRoutes.login, { body: { name: 'ned', password } });
    const ned = world.as(token);
    expect((await ned.call(projectRoutes.get, dogs)).name).toBe('dogs');
    await ned.call(teamRoutes.removeMember, { params: { team: 'vision', user: 'ned' } });
    // At once, though what is known of a token is believed for some seconds.
    expect((await refused(ned.call(projectRoutes.get, dogs))).code).toBe('not_found');
  });
});

describe('what a team owns', () => {
  it('is submitted to by its members, looked at by its viewers, and not there for others', async () => {
    const job = await submit(max);
    expect(job.name).toBe('vision/projects/dogs/1');
    await worker.finish(await worker.take());
    expect((await refused(submit(vic))).message).toContain('belongs to vision');
    expect((await refused(submit(eve))).code).toBe('not_found');
    for (const client of [ann, max, vic, root]) {
      expect((await client.call(jobRoutes.get, ofJob(1))).command).toBe('true');
      const { items } = await client.call(jobRoutes.list, { query: { owner: 'vision' } });
      expect(items.map(({ name }) => name)).toContain('vision/projects/dogs/1');
    }
    expect((await refused(eve.call(jobRoutes.get, ofJob(1)))).code).toBe('not_found');
    expect((await eve.call(jobRoutes.list, { query: { owner: 'vision' } })).items).toEqual([]);
    const note = (client: Client) => client.call(jobRoutes.update, { ...ofJob(1), body: { note: 'good' } });
    expect((await refused(note(vic))).code).toBe('forbidden');
    expect((await note(ann)).note).toBe('good');
    const exec = (client: Client) => client.open(execRoutes.open, ofJob(1));
    expect((await refused(exec(vic))).code).toBe('forbidden');
    // A member gets past the question of rights: to there being no WebSocket.
    expect((await refused(exec(max))).message).toContain('WebSocket');
  });

  it('is deleted by its admins; a job also by the member who submitted it', async () => {
    const [ofMax, ofAnn] = [await ended(max), await ended(ann)];
    const remove = (client: Client, number: number) => client.call(jobRoutes.delete, ofJob(number));
    expect((await refused(remove(max, ofAnn))).code).toBe('forbidden');
    await remove(max, ofMax);
    await remove(ann, ofAnn);
    expect((await refused(max.call(projectRoutes.delete, dogs))).message).toContain('not delete');
    await max.call(projectRoutes.create, { body: { owner: 'vision', name: 'draft' } });
    await ann.call(projectRoutes.delete, { params: { owner: 'vision', project: 'draft' } });
    expect((await refused(root.call(teamRoutes.delete, { params: { team: 'vision' } }))).message).toContain(
      'owns 1 projects',
    );
  });

  it('is stored for the team: counted on its quota, shared by its members, and hidden from others', async () => {
    const hash = 'a'.repeat(64);
    const pack = {
      checksum: `sha256:${'b'.repeat(64)}`,
      size: 1000,
      chunks: [{ hash, offset: 0, size: 1000 }],
    };
    const announce = (client: Client, owner?: string) =>
      client.call(snapshotRoutes.createPack, { body: { ...pack, owner } });
    expect((await announce(max, 'vision')).id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await refused(announce(vic, 'vision'))).code).toBe('forbidden');
    for (const client of [eve, root]) {
      expect((await refused(announce(client, 'vision'))).code).toBe('not_found');
      expect((await refused(announce(client, 'ann'))).code).toBe('not_found');
    }
    await root.call(storageRoutes.setQuota, { params: { user: 'vision' }, body: { quotaBytes: 1500 } });
    expect((await refused(announce(ann, 'vision'))).code).toBe('quota_exceeded');
    expect((await announce(ann)).id).toMatch(/^[0-9a-f-]{36}$/);
    await root.call(storageRoutes.setQuota, { params: { user: 'vision' }, body: { quotaBytes: null } });
  });

  it('is a dataset too, to which only snapshots of the team are added', async () => {
    const vision = await world.idOf('vision');
    await max.call(datasetRoutes.create, { body: { owner: 'vision', name: 'photos' } });
    const photos = { params: { owner: 'vision', dataset: 'photos' } };
    const add = async (client: Client, ownerId: string) =>
      client.call(datasetRoutes.addVersion, {
        ...photos,
        body: { snapshotId: await world.snapshot(ownerId) },
      });
    expect((await add(max, vision)).name).toBe('vision/datasets/photos/1');
    expect((await refused(add(max, await world.idOf('max')))).message).toContain('of vision');
    expect((await refused(add(vic, vision))).code).toBe('forbidden');
    expect((await vic.call(datasetRoutes.get, photos)).latest?.number).toBe(1);
    expect((await refused(eve.call(datasetRoutes.get, photos))).code).toBe('not_found');
    const version = { params: { ...photos.params, number: 1 } };
    expect((await refused(max.call(datasetRoutes.deleteVersion, version))).code).toBe('forbidden');
    await ann.call(datasetRoutes.deleteVersion, version);
    // A public one is read by all who may log in.
    await max.call(datasetRoutes.create, { body: { owner: 'vision', name: 'open', public: true } });
    const open = { params: { owner: 'vision', dataset: 'open' } };
    expect((await eve.call(datasetRoutes.get, open)).owner).toBe('vision');
  });

  it('has its jobs’ output stored for the team, whoever submitted them', async () => {
    await submit(max);
    const held = await worker.take();
    const mine = await world.snapshot(await world.idOf('eve'));
    const error = await refused(worker.output(held, mine));
    expect(error.message).toContain('no snapshot of the job');
    await worker.output(held, await world.snapshot(await world.idOf('vision')));
    await worker.finish(held);
  });
});

describe('limits', () => {
  it('of a team hold for all its members together, beside those of each', async () => {
    const limit = (user: string, jobs: number | null) =>
      root.call(userRoutes.setLimits, { params: { user }, body: { jobs } });
    await limit('vision', 1);
    const first = await submit(max);
    const second = await submit(ann);
    const held = await worker.take();
    expect(held.jobId).toBe(first.id);
    expect(await worker.claim()).toBeNull();
    const waiting = await max.call(jobRoutes.get, ofJob(second.number));
    expect(waiting.message).toContain('vision has 1 of 1 jobs running');
    // A job of ann's own is no job of the team's.
    await ann.call(projectRoutes.create, { body: { name: 'own' } });
    await ann.call(jobRoutes.create, { params: { owner: 'ann', project: 'own' }, body: { command: 'true' } });
    const own = await worker.take();
    expect(own.jobId).not.toBe(second.id);
    await worker.finish(own);
    await worker.finish(held);
    const next = await worker.take();
    expect(next.jobId).toBe(second.id);
    await worker.finish(next);
    await limit('vision', null);
  });
});

describe('a user', () => {
  it('who is disabled is out at once with all his tokens, and what he owns stays', async () => {
    const out = await person('otto');
    await out.call(tokenRoutes.create, { body: { name: 'second' } });
    await out.call(projectRoutes.create, { body: { name: 'left', public: true } });
    const change = (body: { disabled: boolean }) =>
      root.call(userRoutes.update, { params: { user: 'otto' }, body });
    expect((await change({ disabled: true })).disabled).toBe(true);
    expect((await refused(out.call(userRoutes.me, {}))).message).toContain('disabled');
    const login = root.call(userRoutes.login, { body: { name: 'otto', password } });
    expect((await refused(login)).code).toBe('unauthenticated');
    const left = { params: { owner: 'otto', project: 'left' } };
    expect((await eve.call(projectRoutes.get, left)).name).toBe('left');
    await change({ disabled: false });
    expect((await out.call(userRoutes.me, {})).name).toBe('otto');
  });

  it('can be made an admin, and an admin can’t lock himself out', async () => {
    const update = (client: Client, user: string, role: 'admin' | 'user') =>
      client.call(userRoutes.update, { params: { user }, body: { role } });
    expect((await refused(update(eve, 'eve', 'admin'))).code).toBe('forbidden');
    await update(root, 'ann', 'admin');
    expect((await ann.call(userRoutes.me, {})).role).toBe('admin');
    expect((await refused(update(ann, 'ann', 'user'))).code).toBe('conflict');
    await update(root, 'ann', 'user');
    expect((await refused(ann.call(userRoutes.list, {}))).code).toBe('forbidden');
  });
});

it('a team that is deleted gives its name back, and its row goes once nothing is stored for it', async () => {
  await root.call(teamRoutes.create, { body: { name: 'short' } });
  const id = await world.idOf('short');
  const snapshot = await world.snapshot(id);
  await root.call(teamRoutes.delete, { params: { team: 'short' } });
  const { pool } = world.api.deps;
  const isThere = async () => (await pool.query('SELECT 1 FROM "User" WHERE id = $1', [id])).rowCount === 1;
  await forgetOldRows(world.api.deps);
  expect(await isThere()).toBe(true);
  await pool.query('DELETE FROM "Snapshot" WHERE id = $1', [snapshot]);
  await forgetOldRows(world.api.deps);
  expect(await isThere()).toBe(false);
  expect((await root.call(userRoutes.create, { body: { name: 'short', password } })).name).toBe('short');
});
