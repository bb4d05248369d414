import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LayerWeights, readWeights, writeWeights } from '../src/weights/hdf5.js';
import { askKeras, python } from './keras.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mycloud-weights-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function numbers(shape: number[], seed: number) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(seed + i * 1.7) / 3;
  return { shape, data };
}

const network = (): LayerWeights[] => [
  {
    name: 'conv2d',
    weights: [
      { name: 'kernel', ...numbers([3, 3, 3, 4], 1) },
      { name: 'bias', ...numbers([4], 2) },
    ],
  },
  { name: 'activation', weights: [] },
  { name: 'max_pooling2d', weights: [] },
  { name: 'flatten', weights: [] },
  {
    name: 'dense',
    weights: [
      { name: 'kernel', ...numbers([100, 1], 3) },
      { name: 'bias', ...numbers([1], 4) },
    ],
  },
  { name: 'activation_1', weights: [] },
];

/** What the same network answers, by plain loops: the measure for Keras's answer. */
function predict(layers: LayerWeights[]): number[] {
  const [kernel, bias] = layers[0]!.weights.map((w) => w.data) as [Float32Array, Float32Array];
  const [dense, last] = layers[4]!.weights.map((w) => w.data) as [Float32Array, Float32Array];
  const x = Float32Array.from({ length: 2 * 12 * 12 * 3 }, (_, i) => (i % 17) / 17);
  return [0, 1].map((n) => {
    const conv = (row: number, column: number, out: number) => {
      let sum = bias[out]!;
      for (let i = 0; i < 27; i++) {
        const [dy, dx, c] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
        sum += x[((n * 12 + row + dy) * 12 + column + dx) * 3 + c]! * kernel[i * 4 + out]!;
      }
      return Math.max(0, sum);
    };
    let z = last[0]!;
    for (let i = 0; i < 100; i++) {
      const [row, column, c] = [Math.floor(i / 20) * 2, (Math.floor(i / 4) % 5) * 2, i % 4];
      const window = [conv(row, column, c), conv(row + 1, column, c), conv(row, column + 1, c)];
      z += Math.max(...window, conv(row + 1, column + 1, c)) * dense[i]!;
    }
    return 1 / (1 + Math.exp(-z));
  });
}

describe('weights in HDF5', () => {
  test('come back as they were written, weightless layers too, and nothing else is left behind', async () => {
    const file = path.join(dir, 'first_try.hdf5');
    await writeWeights(file, network());
    await writeWeights(file, network());
    expect(await readWeights(file)).toEqual(network());
    expect(await readdir(dir)).toEqual(['first_try.hdf5']);
  });

  test('a file that is no HDF5, is missing, or can not be written says so and names itself', async () => {
    await writeFile(path.join(dir, 'x.h5'), 'not hdf5');
    await expect(readWeights(path.join(dir, 'x.h5'))).rejects.toMatchObject({ code: 'bad_weights' });
    await expect(readWeights(path.join(dir, 'y.h5'))).rejects.toThrow(/y\.h5.*ENOENT/);
    await expect(writeWeights(path.join(dir, 'no', 'z.h5'), network())).rejects.toThrow(/z\.h5.*ENOENT/);
  });

  test('shapes that do not fit and names that clash are refused', async () => {
    const file = path.join(dir, 'x.h5');
    const wrong = network();
    wrong[0]!.weights[1]!.shape = [5];
    await expect(writeWeights(file, wrong)).rejects.toThrow('conv2d/bias has 4 numbers, not [5]');
    await expect(writeWeights(file, [...network(), ...network()])).rejects.toThrow('"conv2d"');
    expect(await readdir(dir)).toEqual([]);
  });
});

test.skipIf(python === undefined)(
  'Keras 2.15 loads them, predicts what they predict here, and its own files load here',
  { timeout: 180_000 },
  async () => {
    const ours = path.join(dir, 'ours.hdf5');
    const files = [ours, path.join(dir, 'keras2.h5'), path.join(dir, 'keras3.weights.h5')];
    await writeWeights(ours, network());
    const keras = await askKeras<{ weights: number[][]; predictions: number[] }>('weights.keras.py', files);
    const all = network().flatMap((layer) => layer.weights);
    expect(keras.weights).toEqual(all.map((w) => [...w.data]));
    for (const [i, p] of predict(network()).entries()) expect(keras.predictions[i]).toBeCloseTo(p, 5);
    expect(await readWeights(files[1]!)).toEqual(network());
    const byName = (a: LayerWeights, b: LayerWeights) => (a.name < b.name ? -1 : 1);
    const third = await readWeights(files[2]!);
    expect(third.sort(byName)).toEqual(network().sort(byName));
  },
);
