import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Capacity } from '../src/capacity.js';
import { GpuWatch } from '../src/gpus/watch.js';
import { jobLines, World } from './support/world.js';

const machine = (name: string, cores: number, gpus = 0) => ({
  name,
  cores,
  memoryBytes: cores * 2 ** 30,
  gpus,
});
const [cpu, cpu2, gpu] = [machine('cpu', 1), machine('cpu2', 2), machine('gpu', 1, 1)];

describe('what a job that is asked for may need', () => {
  const capacity = (cores: number, gpus: string[] = [], slots?: number) =>
    new Capacity({ cores, memoryBytes: 64 * 2 ** 30, gpus }, slots, new GpuWatch(gpus, 60));

  it('is counted on by nobody else until it is given back', () => {
    const two = capacity(2);
    const giveBack = two.reserve([cpu, gpu]);
    expect([cpu, cpu2].map((one) => two.fits(one))).toEqual([true, false]);
    const share = two.take(cpu);
    expect(two.fits(cpu)).toBe(false);
    giveBack();
    giveBack();
    expect(two.fits(cpu)).toBe(true);
    share.release();
    expect(two.fits(cpu2)).toBe(true);
  });

  it('is the most that any of its machines takes: cores, a slot, a card', () => {
    const four = capacity(4, ['GPU-a', 'GPU-b']);
    four.reserve([cpu, cpu2, gpu]);
    expect([cpu2, machine('cpu4', 4), gpu, machine('gpu2', 1, 2)].map((one) => four.fits(one))).toEqual([
      ...[true, false, true, false],
    ]);
    const slots = capacity(64, [], 1);
    slots.reserve([cpu]);
    expect(slots.fits(cpu)).toBe(false);
  });
});

describe('a worker with two slots', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start('process', { MYCLOUD_SLOTS: '2' });
  });
  afterAll(() => world.close());

  it('never runs three jobs at once, and all in the end', async () => {
    const jobs = Array.from({ length: 24 }, (_, i) =>
      world.submit(`date +%s%N; sleep 0.0${i % 5}; date +%s%N`),
    );
    const times: { at: number; change: number }[] = [];
    for (const jobId of jobs) {
      const [from, to] = jobLines(await world.finished(jobId)).map((text) => Number(text) / 1e6);
      times.push({ at: from!, change: 1 }, { at: to!, change: -1 });
    }
    let running = 0;
    let most = 0;
    for (const { change } of times.sort((a, b) => a.at - b.at)) {
      running += change;
      most = Math.max(most, running);
    }
    expect(times).toHaveLength(2 * jobs.length);
    expect(most).toBe(2);
  });
});
