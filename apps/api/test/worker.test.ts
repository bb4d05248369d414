import { createClient, jobRoutes, version, workerRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const offer = {
  name: 'box',
  version: '0.1.0',
  runner: 'process',
  cores: 2,
  memoryBytes: 1e9,
  gpus: 0,
};
const register = (body: Partial<typeof offer> & { machines: string[] }, token = world.workerToken) =>
  createClient({ url: world.api.url, token }).call(workerRoutes.register, { body: { ...offer, ...body } });

it('is the same worker when it comes back under its name', async () => {
  const first = await register({ machines: ['cpu'] });
  const again = await register({ machines: ['cpu', 'cpu', 'gpu'] });
  expect(again.workerId).toBe(first.workerId);
  expect(again.machines.map((machine) => machine.name)).toEqual(['cpu', 'gpu']);
  expect(again.leaseSeconds).toBe(30);
});

it('is refused with a word when its release is too far from the server’s or it offers what nobody asks for', async () => {
  const { major, minor } = /^(?<major>\d+)\.(?<minor>\d+)/.exec(version)!.groups as Record<string, string>;
  const of = (by: number) => `${major}.${Number(minor) + by}.7`;
  expect(await refused(register({ machines: ['cpu'], version: of(2) }))).toMatchObject({
    code: 'bad_request',
    message: `worker box is of release ${of(2)}, this server of ${version}: too far apart to work together`,
    hint: `Bring the server up to date first: to ${of(2)}, or one minor release beside it.`,
  });
  expect((await register({ machines: ['cpu'], version: of(1) })).workerId).toBeDefined();
  expect((await refused(register({ machines: ['cpuu'] }))).hint).toMatch(/^Did you mean cpu/);
});

it('gets only what it registered for, and nothing with a user’s token', async () => {
  const worker = await world.worker('narrow', { machines: ['cpu'] });
  const job = await world.submit({ machine: 'cpu2' });
  const body = { workerId: worker.id, machines: ['cpu2'] };
  expect((await worker.client.call(workerRoutes.claim, { body })).assignment).toBeNull();
  expect((await refused(world.lab.call(workerRoutes.claim, { body }))).code).toBe('forbidden');
  expect((await refused(register({ machines: ['cpu'] }, 'nonsense'))).code).toBe('unauthenticated');
  await world.lab.call(jobRoutes.stop, at(job));
});

it('is told in the first log line that --gpu runs on the CPU of an embedded server', async () => {
  const worker = await world.worker('laptop', { machines: ['gpu'] });
  await world.submit({ machine: 'gpu' });
  const held = await worker.take();
  expect(held.notes).toEqual(['gpu: this server has no GPU; the job runs on the CPU']);
  await worker.finish(held);
});

it('is woken by its command stream, and told of stops that were asked before it listened', async () => {
  const worker = await world.worker('listener', { machines: ['cpu2'] });
  const job = await world.submit({ machine: 'cpu2' });
  const held = await worker.take();
  await world.lab.call(jobRoutes.stop, at(job));
  await worker.listen();
  await world.until('the stop came', async () => worker.commands.find((c) => c.type === 'stop'));
  await world.submit({ machine: 'cpu2' });
  await world.until('it was woken', async () => worker.commands.find((c) => c.type === 'wake'));
  await worker.finish(held, { reason: 'stopped_by_user', detail: 'lab' });
});

it('can’t name another’s files as a job’s output', async () => {
  const worker = await world.worker('thief', { machines: ['gpu2'] });
  await world.submit({ machine: 'gpu2' });
  const held = await worker.take();
  const { rows } = await world.api.deps.pool.query<{ id: string }>(
    `SELECT id FROM "User" WHERE name = 'eve'`,
  );
  const hers = await world.snapshot(rows[0]!.id);
  expect((await refused(worker.output(held, hers))).code).toBe('bad_request');
  expect((await refused(worker.finish(held, { outputSnapshotId: hers }))).code).toBe('bad_request');
  await worker.finish(held);
});

it('is woken for no more jobs alike than could find it asleep, and finds them all; for any other it is', async () => {
  const worker = await world.worker('crowd', { machines: ['gpu2'] });
  await worker.listen();
  const wakes = () => worker.commands.filter(({ type }) => type === 'wake').length;
  const alike = 70;
  for (let i = 0; i < alike; i++) await world.submit({ machine: 'gpu2' });
  const other = await world.submit({ machine: 'gpu2', environment: 'python3' });
  await world.until('it was woken for the other', async () => wakes() === 65);
  const taken = [];
  for (let i = 0; i <= alike; i++) taken.push(await worker.take());
  expect(taken.map(({ jobId }) => jobId)).toContain(other.id);
  for (const held of taken) await worker.finish(held);
  // With room in the line it is woken again.
  await world.submit({ machine: 'gpu2' });
  await world.until('it was woken again', async () => wakes() === 66);
  await worker.finish(await worker.take());
});
