import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGpus, fakeGpus } from '../../../test/support/fake-gpus.js';
import { until, World } from './support/world.js';

let world: World;
let gpus: FakeGpus;
beforeEach(async () => {
  gpus = fakeGpus(2);
  const [first, second] = gpus.uuids;
  // The second can't tell its use.
  gpus.cards([
    `0, ${first}, NVIDIA H100 80GB HBM3, 81559, 1024, 37`,
    `1, ${second}, NVIDIA A2, 15356, [N/A], [N/A]`,
  ]);
  world = await World.open({ leaseSeconds: 1 });
});
afterEach(async () => {
  await world.close();
  gpus.remove();
});

describe('a worker with GPUs', () => {
  it('says how many it has, and with each heartbeat how busy they are', async () => {
    await world.start('process', { ...gpus.env, MYCLOUD_WORKER_MACHINES: 'cpu' });
    expect(world.api.registered[0]).toMatchObject({ gpus: 2 });
    const use = await until(() => world.api.uses.at(-1), 'a heartbeat');
    expect(use.gpus).toEqual([
      {
        index: '0',
        name: 'NVIDIA H100 80GB HBM3',
        percent: 37,
        memoryUsedBytes: 1024 * 2 ** 20,
        memoryBytes: 81559 * 2 ** 20,
      },
      { index: '1', name: 'NVIDIA A2', percent: 0, memoryUsedBytes: 0, memoryBytes: 15356 * 2 ** 20 },
    ]);
    expect(use.cpuPercent).toBeGreaterThanOrEqual(0);
    expect(use.memoryBytes).toBeGreaterThan(0);
  });

  it('sends the use of a job’s own GPU as its metrics', async () => {
    await world.start('process', { ...gpus.env, MYCLOUD_WORKER_MACHINES: 'cpu' });
    const machine = { name: 'cpu', cores: 1, memoryBytes: 2 ** 30, gpus: 1 };
    const jobId = world.submit('sleep 60', { machine });
    const value = (name: string) => world.attempt(jobId)?.points.find((point) => point.name === name)?.value;
    await until(() => value('system/gpu'), 'the use of its GPU');
    expect(value('system/gpu')).toBe(37);
    expect(value('system/gpu_memory')).toBe(1024 * 2 ** 20);
  });
});

it('a worker without nvidia-smi has no GPU, and tells the rest', async () => {
  await world.start('process', { MYCLOUD_WORKER_MACHINES: 'cpu' });
  expect(world.api.registered[0]).toMatchObject({ gpus: 0 });
  expect((await until(() => world.api.uses.at(-1), 'a heartbeat')).gpus).toEqual([]);
});
