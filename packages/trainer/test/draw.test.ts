import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { drawDataset } from '../src/draw/index.js';
import { imageDataGenerator } from '../src/images/index.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mycloud-draw-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('cats and dogs are drawn as a dataset that training reads, no two alike', async () => {
  const told: string[] = [];
  await drawDataset(dir, { train: 7, val: 4, size: 64 }, (done, total) => told.push(`${done}/${total}`));
  expect(told.at(-1)).toBe('11/11');
  expect(await readdir(path.join(dir, 'train', 'cats'))).toEqual([
    'cat.0.jpg',
    'cat.1.jpg',
    'cat.2.jpg',
    'cat.3.jpg',
  ]);
  expect(await readdir(path.join(dir, 'val', 'dogs'))).toEqual(['dog.0.jpg', 'dog.1.jpg']);
  const it = await imageDataGenerator().flowFromDirectory(path.join(dir, 'train'), {
    targetSize: [64, 64],
    batchSize: 7,
    classMode: 'binary',
  });
  const { x, n } = await it.next().finally(() => it.close());
  const size = 64 * 64 * 3;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let difference = 0;
      for (let k = 0; k < size; k++) difference += Math.abs(x[i * size + k]! - x[j * size + k]!);
      expect(difference / size, `pictures ${i} and ${j}`).toBeGreaterThan(10);
    }
  }
});

test('one seed draws the same pictures again, another does not', async () => {
  const bytes = async (seed: number, name: string) => {
    await drawDataset(path.join(dir, name), { train: 2, val: 2, size: 48, seed });
    return readFile(path.join(dir, name, 'val', 'dogs', 'dog.0.jpg'));
  };
  const first = await bytes(3, 'a');
  expect(await bytes(3, 'b')).toEqual(first);
  expect(await bytes(4, 'c')).not.toEqual(first);
  expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 48 });
});

test('numbers that draw nothing are refused', async () => {
  await expect(drawDataset(dir, { train: 1, val: 2 })).rejects.toThrow('train is 1');
  await expect(drawDataset(dir, { train: 2, val: 2, size: 0.5 })).rejects.toThrow('size is 0.5');
});
