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
  expect(items.map((s) => [s.name, s.last, s.lastStep])).toEqual([
    ['acc', 0.5, null],
    ['bad', null, 1],
    ['loss', 0.8, 1],
    ['system/cpu', 97, null],
  ]);
  await worker.finish(second);
});

it('draws a long series together to buckets in which no spike is lost, and leaves a short one as it is', async () => {
  const worker = await world.worker('w-buckets');
  const job = await world.submit();
  const held = await worker.take();
  const spike = 4321;
  for (let from = 0; from < 20_000; from += 5000) {
    const points = Array.from({ length: 5000 }, (_, i) => {
      const step = from + i;
      return { name: 'loss', step, value: step === spike ? 99 : step / 20_000 };
    });
    await worker.metrics(held, randomUUID(), points);
  }
  await worker.metrics(held, randomUUID(), [
    { name: 'lr', step: null, value: 1 },
    { name: 'lr', step: 7, value: null },
  ]);
  const ask = (query: { name: string; axis: 'step' | 'time'; buckets: number; from?: number; to?: number }) =>
    world.lab.call(metricRoutes.buckets, { ...at(job), query });

  const drawn = await ask({ name: 'loss', axis: 'step', buckets: 100 });
  expect(drawn.total).toBe(20_000);
  expect(drawn.points).toHaveLength(100);
  expect(Math.max(...drawn.points.map((point) => point.max ?? 0))).toBe(99);
  expect(drawn.points.at(-1)).toMatchObject({ step: 19_999, value: 19_999 / 20_000 });
  expect(drawn.points[0]).toMatchObject({ min: 0, step: 199 });

  const part = await ask({ name: 'loss', axis: 'step', buckets: 100, from: 4300, to: 4350 });
  expect(part.points.map((point) => point.step)).toEqual(Array.from({ length: 51 }, (_, i) => 4300 + i));
  expect(part.points.every((point) => point.min === undefined)).toBe(true);

  expect((await ask({ name: 'lr', axis: 'step', buckets: 10 })).points.map((p) => p.value)).toEqual([null]);
  expect((await ask({ name: 'lr', axis: 'time', buckets: 10 })).total).toBe(2);
  expect(await ask({ name: 'none', axis: 'time', buckets: 10 })).toEqual({ total: 0, points: [] });
  await worker.finish(held);
});
