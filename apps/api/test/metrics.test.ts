import { randomUUID } from 'node:crypto';
import { metricRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it('stores each batch once, shows the last values on the job, and the series of the last attempt', async () => {
  const worker = await world.worker('w-metrics');
  const job = await world.submit();
  const first = await worker.take();
  const batch = randomUUID();
  const points = [
    { name: 'loss', step: 1, value: 0.9 },
    { name: 'loss', step: 2, value: 0.7 },
    { name: 'acc', step: null, value: 0.5 },
    { name: 'bad', step: 1, value: null },
    { name: 'system/cpu', step: null, value: 97 },
  ];
  await worker.metrics(first, batch, points);
  await worker.metrics(first, batch, points);
  expect((await world.get(job)).metrics).toEqual({ loss: 0.7, acc: 0.5 });
  const series = async (name: string, limit = 10) =>
    (await world.lab.call(metricRoutes.series, { ...at(job), query: { name, limit } })).points.map((p) => [
      p.step,
      p.value,
    ]);
  expect(await series('loss')).toEqual([
    [1, 0.9],
    [2, 0.7],
  ]);
  expect(await series('loss', 1)).toEqual([[2, 0.7]]);
  expect(await series('bad')).toEqual([[1, null]]);

  await worker.finish(first, { reason: 'worker_error', exitCode: null });
  const second = await worker.take();
  await worker.metrics(second, randomUUID(), [{ name: 'loss', step: 1, value: 0.8 }]);
  expect(await series('loss')).toEqual([[1, 0.8]]);
  const { items } = await world.lab.call(metricRoutes.list, at(job));
  expect(items.map((s) => [s.name, s.points, s.last, s.lastStep])).toEqual([
    ['acc', 1, 0.5, null],
    ['bad', 1, null, 1],
    ['loss', 1, 0.8, 1],
    ['system/cpu', 1, 97, null],
  ]);
  await worker.finish(second);
});
