import { machineRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.api.deps.pool.query(`UPDATE "User" SET role = 'admin' WHERE name = 'lab'`);
});
afterAll(() => world.close());

const seen = async (id: string) => {
  const { items } = await world.lab.call(machineRoutes.workers, {});
  return items.find((worker) => worker.id === id)!;
};
const drain = (id: string, draining: boolean, as = world.lab) =>
  as.call(machineRoutes.drain, { params: { id }, body: { draining } });

describe('a drained worker', () => {
  it('finishes what it has, takes nothing new, though it restarts, and takes jobs again when it is undrained', async () => {
    const worker = await world.worker('box', { machines: ['cpu2'] });
    const running = await world.submit({ machine: 'cpu2' });
    const held = await worker.take();
    expect((await drain(worker.id, true)).jobs).toEqual([running.name]);

    const waiting = await world.submit({ machine: 'cpu2' });
    expect(await worker.claim()).toBeNull();
    expect(await worker.claim({ ticket: { jobId: waiting.id, attempt: 1 } })).toBeNull();
    expect((await world.get(waiting)).message).toContain('is being drained (box)');
    const { items } = await world.lab.call(machineRoutes.machines, {});
    expect(items.find((machine) => machine.name === 'cpu2')?.workers).toBe(0);

    await worker.status(held, 'running');
    await worker.finish(held);
    expect((await world.get(running)).status).toBe('succeeded');

    const again = await world.worker('box', { machines: ['cpu2'] });
    expect(again.id).toBe(worker.id);
    expect(await seen(worker.id)).toMatchObject({ draining: true, alive: true, jobs: [] });
    expect(await again.claim()).toBeNull();

    // One that waits at the api, as where there is no queue, hears of it at once.
    const coming = again.claim({ waitSeconds: 20 });
    await drain(worker.id, false);
    expect((await coming)?.jobId).toBe(waiting.id);
  });

  it('is one by an admin’s word only', async () => {
    const worker = await world.worker('other', { machines: ['gpu2'] });
    expect((await refused(drain(worker.id, true, world.eve))).code).toBe('forbidden');
    expect((await refused(drain('00000000-0000-7000-8000-000000000000', true))).code).toBe('not_found');
    expect((await seen(worker.id)).draining).toBe(false);
  });
});

describe('the queue', () => {
  it('tells each job’s place in its line and why it waits, and counts those one may not see', async () => {
    const first = await world.submit({ machine: 'gpu' });
    const second = await world.submit({ machine: 'gpu' });
    const queue = (as = world.lab) => as.call(machineRoutes.queue, {});
    const lines = (await queue()).items.filter((job) => job.machine === 'gpu');
    expect(lines.map(({ name, place }) => [name, place])).toEqual([
      [first.name, 1],
      [second.name, 2],
    ]);
    expect(lines[1]?.reason).toContain('no worker offers gpu');
    const worker = await world.worker('gpu-box', { machines: ['gpu'], gpus: 1 });
    const held = await worker.take();
    const [next] = (await queue()).items.filter((job) => job.machine === 'gpu');
    expect(next).toMatchObject({ name: second.name, place: 1 });
    expect(next?.reason).toMatch(
      /1st in line for gpu; 1 worker offers gpu, busy with lab\/projects\/cats\/\d+ since/,
    );
    expect((await queue(world.eve)).items).toEqual([]);
    expect((await queue(world.eve)).total).toBe(1);
    await worker.finish(held);
  });
});

describe('a worker’s heartbeat', () => {
  it('says what of its computer is in use', async () => {
    const worker = await world.worker('busy', { machines: ['gpu'], gpus: 1 });
    expect((await seen(worker.id)).use).toBeNull();
    const gpu = { index: '0', name: 'NVIDIA H100', percent: 37, memoryUsedBytes: 1, memoryBytes: 2 };
    const use = { cpuPercent: 12.5, memoryBytes: 1024, gpus: [gpu] };
    await worker.heartbeatWith(use);
    expect((await seen(worker.id)).use).toEqual(use);
  });
});
