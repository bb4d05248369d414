import { type CreateJob, jobRoutes, machineRoutes, projectRoutes, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;

beforeAll(async () => {
  world = await startWorld();
  await world.api.deps.pool.query(`UPDATE "User" SET role = 'admin' WHERE name = 'lab'`);
  await world.eve.call(projectRoutes.create, { body: { name: 'dogs' } });
  worker = await world.worker('box', { machines: ['cpu', 'gpu', 'gpu2'], gpus: 4 });
});
afterAll(() => world.close());
beforeEach(async () => {
  await limit({ jobs: null, gpus: null });
  await world.api.deps.pool.query('DELETE FROM "Job"');
});

const limit = (body: { jobs?: number | null; gpus?: number | null }) =>
  world.lab.call(userRoutes.setLimits, { params: { user: 'eve' }, body });
const eveSubmits = (body: Partial<CreateJob> = {}) =>
  world.eve.call(jobRoutes.create, {
    params: { owner: 'eve', project: 'dogs' },
    body: { command: 'true', ...body },
  });

it('lets a user run as many jobs at once as an admin said, and another user the rest', async () => {
  await limit({ jobs: 2 });
  const jobs = [await eveSubmits(), await eveSubmits(), await eveSubmits(), await eveSubmits()];
  const first = await worker.take();
  const second = await worker.take();
  expect([first.jobId, second.jobId]).toEqual([jobs[0]?.id, jobs[1]?.id]);
  expect(await worker.claim()).toBeNull();
  expect((await world.get(jobs[2]!, world.eve)).message).toBe('eve has 2 of 2 jobs running');
  const queue = await world.eve.call(machineRoutes.queue, {});
  expect(queue.items.map(({ reason }) => reason)).toEqual(Array(2).fill('eve has 2 of 2 jobs running'));

  // Who has no limit passes by, however long eve's jobs have waited.
  const other = await world.submit();
  expect((await worker.take()).jobId).toBe(other.id);

  // A worker that waits hears of the end of one, and takes the next in eve's own order.
  const waiting = worker.claim({ waitSeconds: 20 });
  await worker.finish(first);
  expect((await waiting)?.jobId).toBe(jobs[2]?.id);
  expect(await worker.claim()).toBeNull();
});

it('holds a ticket for a job beyond the limit as worth nothing', async () => {
  await limit({ jobs: 1 });
  await eveSubmits();
  const beyond = await eveSubmits();
  await worker.take();
  expect(await worker.claim({ ticket: { jobId: beyond.id, attempt: 1 } })).toBeNull();
});

it('never lets two claims at once take the last place', async () => {
  await limit({ jobs: 3 });
  for (let i = 0; i < 12; i++) await eveSubmits();
  const taken = await Promise.all(Array.from({ length: 12 }, () => worker.claim()));
  const held = taken.filter((assignment) => assignment !== null);
  expect(held.length).toBeGreaterThan(0);
  expect(held.length).toBeLessThanOrEqual(3);
  while (await worker.claim()) held.push(null as never);
  expect(held.length).toBe(3);
});

it('counts the GPUs of running jobs, and lets jobs that need none pass', async () => {
  await limit({ gpus: 2 });
  const one = await eveSubmits({ machine: 'gpu' });
  const two = await eveSubmits({ machine: 'gpu2' });
  expect((await worker.take()).jobId).toBe(one.id);
  expect(await worker.claim()).toBeNull();
  expect((await world.get(two, world.eve)).message).toBe('eve has 1 of 2 GPUs in use, and this job takes 2');
  const three = await eveSubmits({ machine: 'gpu' });
  const four = await eveSubmits({ machine: 'cpu' });
  const taken = [await worker.take(), await worker.take()].map((assignment) => assignment.jobId);
  expect(taken.sort()).toEqual([three.id, four.id].sort());
});

it('begins what waited as soon as an admin lifts the limit', async () => {
  await limit({ jobs: 0 });
  const job = await eveSubmits();
  const waiting = worker.claim({ waitSeconds: 20 });
  expect((await world.get(job, world.eve)).message).toBe('eve has 0 of 0 jobs running');
  expect(await limit({ jobs: null })).toEqual({ jobs: null, gpus: null });
  expect((await waiting)?.jobId).toBe(job.id);
});

it('is for admins, and for users there are', async () => {
  const own = world.eve.call(userRoutes.setLimits, { params: { user: 'eve' }, body: { jobs: 100 } });
  expect((await refused(own)).code).toBe('forbidden');
  const nobody = world.lab.call(userRoutes.setLimits, { params: { user: 'nobody' }, body: { jobs: 1 } });
  expect((await refused(nobody)).code).toBe('not_found');
});
