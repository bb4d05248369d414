import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { wasmBackend } from '../src/backends/wasm.js';
import { lossNamed } from '../src/losses.js';
import { vgg16Base, vgg16Input } from '../src/models/vgg16.js';
import { buildNetwork } from '../src/network.js';
import { sgd } from '../src/optimizers.js';
import { Rng } from '../src/rng.js';
import { namedWeights, readWeightsFor } from '../src/weights/fit.js';
import { writeWeights } from '../src/weights/hdf5.js';
import { drawColour, metrics, runTrain } from './command.js';
import { askKeras, python } from './keras.js';
import { close, wave } from './parity.js';

let pictures: string;
let output: string;
const colours = {
  blue: { r: 40, g: 60, b: 220 },
  green: { r: 40, g: 200, b: 60 },
  red: { r: 220, g: 60, b: 60 },
};
beforeAll(async () => {
  pictures = await mkdtemp(path.join(tmpdir(), 'models-in-'));
  for (const [name, colour] of Object.entries(colours)) {
    await drawColour(path.join(pictures, 'train', name), 12, colour);
    await drawColour(path.join(pictures, 'val', name), 4, colour);
  }
});
afterAll(() => rm(pictures, { recursive: true, force: true }));
beforeEach(async () => {
  output = await mkdtemp(path.join(tmpdir(), 'models-out-'));
  return () => rm(output, { recursive: true, force: true });
});

const small = ['--batch-size', '6', '--workers', '1', '--backend', 'wasm', '--seed', '1'];
const run = (args: string[]) => runTrain(args, { MYCLOUD_INPUT: pictures, MYCLOUD_OUTPUT: output });

describe('train --model', { timeout: 180_000 }, () => {
  test('deep learns three colours by its own settings; what it leaves predicts a folder, as a table and as a sheet', async () => {
    const trained = await run([
      ...small,
      '--model',
      'deep',
      '--image-size',
      '48',
      '--epochs',
      '6',
      '--threads',
      '2',
    ]);
    expect(trained.err).toBe('');
    expect(trained.out).toContain('global_average_pooling2d');
    expect(metrics(trained.out).at(-1)).toMatchObject({ metric: 'val_acc', epoch: 5 });
    expect(await readdir(output)).toEqual([
      'Graph',
      'checkpoints',
      'labels.json',
      'model.json',
      'weights.hdf5',
    ]);

    const judged = path.join(output, 'judged');
    for (const [name, colour] of Object.entries(colours))
      await drawColour(path.join(judged, name), 3, colour);
    await drawColour(path.join(judged, 'some, others'), 1, colours.red);
    await writeFile(path.join(judged, 'broken.jpg'), 'no picture');
    const predicted = await run(['predict', '--data', judged, '--backend', 'wasm', '--threads', '2']);
    expect(predicted.err).toBe('');
    expect(predicted.out).toMatch(/Predicted 10 pictures; of 9 whose class is known, \d are right/);
    expect(predicted.out).toMatch(/1 can't be read.*\n.*broken\.jpg/);

    const rows = (await readFile(path.join(output, 'predictions.csv'), 'utf8')).trimEnd().split('\n');
    expect(rows[0]).toBe('file,predicted,probability,actual');
    expect(rows).toHaveLength(11);
    expect(rows[1]).toMatch(/^blue\/0\.png,(blue|green|red),[01]\.\d{4},blue$/);
    expect(rows[10]).toMatch(/^"some, others\/0\.png",(blue|green|red),[01]\.\d{4},$/);
    const last = metrics(trained.out).at(-1)!.value;
    const right = rows.slice(1).filter((row) => row.split(',')[1] === row.split(',')[3]).length;
    expect(right / 9).toBeCloseTo(last, 1);
    const sheet = await sharp(path.join(output, 'predictions.png')).metadata();
    expect(sheet).toMatchObject({ format: 'png', width: 8 * 160 + 10 });
  });

  test('a model.json is trained as it stands, and refused where it answers for other classes', async () => {
    expect((await run([...small, '--image-size', '40', '--epochs', '1', '--threads', '1'])).code).toBe(0);
    const again = await run([...small, '--model', 'model.json', '--epochs', '1', '--threads', '1']);
    expect(again.err).toBe('');
    expect(again.out).toContain('(None, 38, 38, 32)');
    const file = path.join(output, 'model.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"units": 3', '"units": 5'));
    const wrong = await run([...small, '--model', 'model.json', '--epochs', '1']);
    expect(wrong).toMatchObject({ code: 6, err: expect.stringContaining('answers with 5') });
    expect(await run([...small, '--model', 'resnet'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('There are tutorial, deep, vgg16'),
    });
  });

  test('vgg16 learns a head on the features of a frozen base, whose weights it reads from a file', async () => {
    const network = buildNetwork(vgg16Base(32), new Rng(4));
    const file = path.join(output, 'base.h5');
    await writeWeights(
      file,
      namedWeights(
        network,
        network.map(({ specs }) => specs.map((s) => s.initial)),
      ),
    );
    const args = [
      ...small,
      '--model',
      'vgg16',
      '--image-size',
      '32',
      '--epochs',
      '12',
      '--lr',
      '0.001',
      '--threads',
      '2',
    ];
    const { err, out, code } = await run([...args, '--base-weights', 'base.h5']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain("VGG16's features of the pictures to train on: 36 of 36.");
    expect(metrics(out).find(({ metric, epoch }) => metric === 'acc' && epoch === 11)!.value).toBeGreaterThan(
      0.6,
    );
    const predicted = await run([
      'predict',
      '--data',
      path.join(pictures, 'val'),
      '--backend',
      'wasm',
      '--json',
    ]);
    const end = JSON.parse(predicted.out.trim().split('\n').at(-1)!) as { right: number; known: number };
    expect(end.right / end.known).toBeCloseTo(metrics(out).at(-1)!.value, 5);

    // One that goes on has them still.
    const again = await run([...args, '--base-weights', 'base.h5', '--resume']);
    expect(again.out).toContain("VGG16's features of the pictures to train on are there already.");
    expect(again.out).not.toContain('of 36.');
    expect(metrics(again.out)).toEqual([]);

    expect(await run(args)).toMatchObject({ code: 2, err: expect.stringContaining('--base-weights') });
    const other = await run([...args, '--base-weights', 'weights.hdf5']);
    expect(other).toMatchObject({ code: 6, err: expect.stringContaining('it has dense') });
  });
});

test.skipIf(python === undefined)(
  'VGG16’s weights in Keras’s own file give Keras’s features here',
  { timeout: 180_000 },
  async () => {
    const file = path.join(output, 'vgg16_notop.h5');
    const keras = await askKeras<{ shape: number[]; features: number[] }>('vgg16.keras.py', [file]);
    const network = buildNetwork(vgg16Base(48), new Rng(0));
    const backend = await wasmBackend('tested', 1);
    const loss = lossNamed('binary_crossentropy');
    const engine = await backend.open({ network, loss, optimizer: sgd(), rng: new Rng(0) });
    await engine.write({ weights: await readWeightsFor(file, network) });
    const pixels = wave(2 * 48 * 48 * 3, 1, 127).map((value) => value + 128);
    const features = await engine.predict({ x: vgg16Input(pixels), n: 2, shape: [2, 48, 48, 3] });
    const largest = Math.max(...keras.features);
    expect(largest).toBeGreaterThan(0);
    close(features, keras.features, 1e-5 * largest, 'feature');
  },
);
