import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGpus, fakeGpus } from '../../../test/support/fake-gpus.js';
import { parseGpuProcesses, parseGpus } from '../src/gpus/nvidia-smi.js';
import { jobLines, until, World } from './support/world.js';

const gpu = { name: 'gpu', cores: 1, memoryBytes: 2 ** 30, gpus: 1 };
const gpu2 = { ...gpu, name: 'gpu2', gpus: 2 };
const visible = 'echo "has $CUDA_VISIBLE_DEVICES"';

describe('a worker with two GPUs', () => {
  let world: World;
  let gpus: FakeGpus;
  beforeEach(async () => {
    gpus = fakeGpus(2);
    world = await World.open();
  });
  afterEach(async () => {
    await world.close();
    gpus.remove();
  });
  const start = (env: Record<string, string> = {}) =>
    world.start('process', { ...gpus.env, MYCLOUD_SLOTS: '8', ...env });
  const has = (jobId: string): string | undefined =>
    world
      .attempt(jobId)
      ?.lines.find((line) => line.text.startsWith('has '))
      ?.text.slice('has '.length);
  const told = (jobId: string): Promise<string> => until(() => has(jobId), 'its cards');

  it('offers what they are enough for, and gives each card, by its UUID, to one job at a time', async () => {
    await start();
    expect(world.api.registered).toMatchObject([{ gpus: 2, machines: ['cpu', 'gpu', 'gpu2'] }]);
    const jobs = [1, 2, 3].map(() => world.submit(`${visible}; sleep 1000`, { machine: gpu }));
    await until(() => jobs.filter(has).length === 2, 'two to run');
    const plain = world.submit('echo ran');
    await world.finished(plain);
    expect(jobs.filter((jobId) => world.attempt(jobId))).toHaveLength(2);
    const running = jobs.filter(has);
    expect(running.map(has).sort()).toEqual(gpus.uuids);
    await until(() => world.api.streams() > 0, 'the command stream');
    const freed = has(running[0]!);
    world.stopJob(running[0]!);
    const last = jobs.find((jobId) => !running.includes(jobId))!;
    expect(await told(last)).toBe(freed);
  });

  it('gives two to gpu2, and nothing of them to another', async () => {
    await start();
    const clock = 'echo at $(date +%s%3N)';
    const both = world.submit(`${visible}; sleep 2; ${clock}`, { machine: gpu2 });
    expect((await told(both)).split(',').sort()).toEqual(gpus.uuids);
    const one = world.submit(`${clock}; ${visible}`, { machine: gpu });
    await told(one);
    // By the jobs' own clocks: that a command has ended frees its cards, and is told to the api a moment later.
    const [ended, began] = await Promise.all(
      [both, one].map(async (jobId) => {
        const lines = jobLines(await world.finished(jobId));
        return Number(lines.find((line) => line.startsWith('at '))?.slice('at '.length));
      }),
    );
    expect(began).toBeGreaterThanOrEqual(ended!);
  });

  it('leaves a job the cards it has when the worker is started again', async () => {
    const first = await start();
    const jobId = world.submit(`${visible}; sleep 1000`, { machine: gpu });
    const card = await told(jobId);
    await first.crash();
    await start();
    const next = world.submit(visible, { machine: gpu });
    expect(await told(next)).not.toBe(card);
  });

  it('takes no job for a card that a program of somebody else computes on, and tells the api', async () => {
    gpus.occupy(gpus.uuids[0]!);
    await start();
    const jobs = [1, 2].map(() => world.submit(`${visible}; sleep 1000`, { machine: gpu }));
    await until(() => jobs.some(has), 'one to run');
    await until(() => world.api.foreignGpus === 1, 'the api to know of the other card');
    expect(jobs.map(has).filter(Boolean)).toEqual([gpus.uuids[1]]);
    gpus.occupy(null);
    for (const jobId of jobs) await told(jobId);
  });

  it('makes metrics of the cards, and warns once of one that is left idle', async () => {
    await start({ MYCLOUD_GPU_IDLE_SECONDS: '1' });
    const jobId = world.submit('sleep 1000', { machine: gpu });
    const points = (name: string) =>
      world.attempt(jobId)?.points.filter((point) => point.name === name) ?? [];
    await until(() => points('system/gpu').length > 2, 'its metrics');
    expect(points('system/gpu')[0]?.value).toBe(90);
    expect(points('system/gpu_memory')[0]?.value).toBe(2 ** 31);
    expect(world.attempt(jobId)?.events).toEqual([]);
    gpus.utilise(1);
    await until(() => world.attempt(jobId)?.events.length, 'the warning');
    const warning = 'its GPU was used less than 5 % for 1 seconds';
    await world.line(jobId, `warning: ${warning}`);
    const seen = points('system/gpu').length;
    await until(() => points('system/gpu').length > seen + 8, 'more looks');
    expect(world.attempt(jobId)?.events).toEqual([{ type: 'warning', message: warning }]);
    expect(world.attempt(jobId)?.finish).toBeNull();
  });

  it('stops such a job where its owner wants that', async () => {
    await start({ MYCLOUD_GPU_IDLE_SECONDS: '1', MYCLOUD_GPU_IDLE_STOP: 'true' });
    gpus.utilise(0);
    const { finish } = await world.finished(world.submit('sleep 1000', { machine: gpu }));
    expect(finish).toMatchObject({
      reason: 'gpu_idle',
      detail: 'its GPU was used less than 5 % for 1 seconds',
    });
    expect(jobLines(world.attempt([...world.api.attempts.keys()][0]!)!)).toEqual([]);
  });
});

describe('what nvidia-smi prints', () => {
  it('is read, also where a card says nothing of its use', () => {
    const text = '0, GPU-a, Tesla T4, 15360, 512, 37\n1, MIG-b, A100 MIG 1g.5gb, 4864, 0, [N/A]\n';
    expect(parseGpus(text)).toEqual([
      {
        index: 0,
        uuid: 'GPU-a',
        name: 'Tesla T4',
        memoryBytes: 15360 * 2 ** 20,
        memoryUsedBytes: 2 ** 29,
        utilisation: 37,
      },
      {
        index: 1,
        uuid: 'MIG-b',
        name: 'A100 MIG 1g.5gb',
        memoryBytes: 4864 * 2 ** 20,
        memoryUsedBytes: 0,
        utilisation: null,
      },
    ]);
    expect(parseGpus('No devices were found\n')).toEqual([]);
    expect(parseGpuProcesses('GPU-a, 77\nGPU-b, [N/A]\n\n')).toEqual([{ uuid: 'GPU-a', pid: 77 }]);
  });
});
