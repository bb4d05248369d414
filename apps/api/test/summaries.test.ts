import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Job, summaryRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { createEventWriter } from '@mycloud/tfevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
let dir: string;
beforeAll(async () => {
  world = await startWorld();
  worker = await world.worker('w-summaries');
  dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-summaries-'));
});
afterAll(async () => {
  await world.close();
  await rm(dir, { recursive: true, force: true });
});

const png = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082',
  'hex',
);

/** A job that has ended; `write` fills its /output. */
async function ended(write: (output: string) => Promise<void>): Promise<Job> {
  const job = await world.submit();
  const held = await worker.take();
  const output = await mkdtemp(path.join(dir, 'output-'));
  await write(output);
  const { snapshotId } = await uploadFolder({ client: world.lab, dir: output });
  await worker.finish(held, { outputSnapshotId: snapshotId });
  return job;
}
const summaries = (job: Job) => world.lab.call(summaryRoutes.get, at(job));

/** Steps 1 to `steps` of a loss, a picture and weights; answers the file. */
async function train(folder: string, steps: number): Promise<string> {
  const writer = createEventWriter(folder);
  for (let step = 1; step <= steps; step++) {
    writer.scalar('loss', 1 / step, step, 1000 + step);
    writer.image('kernel', png, 1, 1, 3, step);
    writer.histogram(
      'weights',
      Float32Array.from({ length: 100 }, (_, i) => i / 100),
      step,
    );
  }
  await writer.close();
  return writer.path;
}

describe('what a job’s event files hold, read by the server itself', () => {
  it('is scalars, images where they lie, and histograms, by run and tag', async () => {
    let file = '';
    const job = await ended(async (output) => {
      file = await train(path.join(output, 'Graph/train'), 3);
      await writeFile(path.join(output, 'notes.txt'), 'no events');
    });
    const found = await summaries(job);
    expect(found.problems).toEqual([]);
    expect(found.scalars.map(({ run, tag }) => `${run} ${tag}`)).toEqual(['Graph/train loss']);
    expect(found.scalars[0]!.points.map((point) => [point.step, point.value, point.time])).toEqual([
      [1, 1, 1_001_000],
      [2, 0.5, 1_002_000],
      [3, expect.closeTo(1 / 3), 1_003_000],
    ]);
    const [image] = found.images[0]!.images;
    expect(image).toMatchObject({ step: 1, width: 1, height: 1, file: `Graph/train/${path.basename(file)}` });
    const bytes = await readFile(file);
    expect(bytes.subarray(image!.start, image!.start + image!.length)).toEqual(png);
    const { buckets } = found.histograms[0]!.histograms[2]!;
    expect(buckets.reduce((sum, [, , count]) => sum + count, 0)).toBeCloseTo(100);
    expect([buckets[0]![0], buckets.at(-1)![1]]).toEqual([0, expect.closeTo(0.99)]);
  });

  it('of a file cut short is what could be read, and that it is cut', async () => {
    const job = await ended(async (output) => {
      const file = await train(output, 5);
      await truncate(file, (await readFile(file)).length - 10);
    });
    const found = await summaries(job);
    expect(found.scalars[0]!.points).toHaveLength(5);
    expect(found.histograms[0]!.histograms).toHaveLength(4);
    expect(found.problems).toEqual([
      expect.stringMatching(/^events\.out\.tfevents\.\S+ is cut short at byte \d+\.$/),
    ]);
  });

  it('of files that are none says so, and shows the others', async () => {
    const job = await ended(async (output) => {
      await train(path.join(output, 'good'), 1);
      await writeFile(path.join(output, 'bad.tfevents.1'), 'x'.repeat(1000));
    });
    const found = await summaries(job);
    expect(found.scalars).toHaveLength(1);
    expect(found.problems).toEqual(['bad.tfevents.1 is damaged at byte 0; what follows is not read.']);
  });

  it('of very many steps is some, spread evenly, with every spike', async () => {
    const job = await ended(async (output) => {
      const writer = createEventWriter(output);
      for (let step = 0; step < 50_000; step++) writer.scalar('loss', step === 12_345 ? 1000 : 1, step);
      for (let step = 0; step < 500; step++) writer.image('kernel', png, 1, 1, 3, step);
      await writer.close();
    });
    const found = await summaries(job);
    const { points } = found.scalars[0]!;
    expect(points.length).toBeGreaterThan(400);
    expect(points.length).toBeLessThanOrEqual(1000);
    expect(points.at(-1)!.step).toBe(49_999);
    expect(Math.max(...points.map((point) => point.max ?? 0))).toBe(1000);
    const steps = points.map((point) => point.step ?? 0);
    const gaps = steps.slice(1).map((step, i) => step - steps[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(128);
    expect(found.images[0]!.images.length).toBeLessThanOrEqual(40);
    expect(found.images[0]!.images.at(-1)!.step).toBe(499);
  });

  it('is nothing for a job that has saved nothing, and not there for others', async () => {
    const job = await world.submit();
    expect(await summaries(job)).toEqual({
      snapshotId: null,
      scalars: [],
      images: [],
      histograms: [],
      problems: [],
    });
    expect((await refused(world.eve.call(summaryRoutes.get, at(job)))).code).toBe('not_found');
  });
});
