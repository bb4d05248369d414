import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEventReader, findEventFiles } from '@mycloud/tfevents';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  activation,
  type Callback,
  chooseBackend,
  conv2d,
  csvLogger,
  dense,
  earlyStopping,
  flatten,
  metricLines,
  modelCheckpoint,
  progressBar,
  reduceLROnPlateau,
  rmsprop,
  sequential,
  sgd,
  tensorBoard,
} from '../src/index.js';
import { brightAndDark, SIZE, smallModel } from './support.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'fit-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function compiled(optimizer = rmsprop({ learningRate: 0.01 }), seed = 1) {
  const model = smallModel({ seed });
  model.compile({ loss: 'binary_crossentropy', optimizer, backend: await chooseBackend('wasm') });
  return model;
}

async function trained(callbacks: Callback[], epochs = 3) {
  const model = await compiled();
  const history = await model.fit(brightAndDark(), {
    epochs,
    validationData: brightAndDark({ seed: 2 }),
    verbose: 0,
    callbacks,
  });
  return { model, history };
}

test('it learns to tell bright from dark', async () => {
  const { model, history } = await trained([], 12);
  expect(history.epochs.at(-1)!.val_accuracy).toBeGreaterThan(0.95);
  expect(await model.evaluate(brightAndDark({ seed: 3 }))).toMatchObject({ accuracy: expect.closeTo(1, 1) });
});

test('three classes are learnt by softmax and categorical cross-entropy', async () => {
  const model = sequential(
    [
      conv2d({ filters: 4, kernelSize: 3, inputShape: [SIZE, SIZE, 3] }),
      activation('relu'),
      flatten(),
      dense({ units: 3 }),
      activation('softmax'),
    ],
    { seed: 1 },
  );
  model.compile({
    loss: 'categorical_crossentropy',
    optimizer: 'adam',
    backend: await chooseBackend('wasm'),
  });
  const engine = await model.engine();
  const n = 9;
  const x = Float32Array.from({ length: n * SIZE * SIZE * 3 }, (_, i) => {
    const label = Math.floor(i / (SIZE * SIZE * 3)) % 3;
    return i % 3 === label ? 1 : 0;
  });
  const y = Float32Array.from({ length: n * 3 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0));
  const batch = { x, y, n, shape: [n, SIZE, SIZE, 3] };
  expect((await engine.testStep(batch)).loss).toBeGreaterThan(0.3);
  for (let i = 0; i < 60; i++) await engine.trainStep(batch);
  const { loss, correct } = await engine.testStep(batch);
  expect(correct).toBe(n);
  expect(loss).toBeLessThan(0.1);
});

test('the same seed gives the same training, another seed another', async () => {
  const [a, b] = [await trained([]), await trained([])];
  expect(a.history).toEqual(b.history);
  const other = await compiled(undefined, 2);
  expect(await other.layerWeights()).not.toEqual(await (await compiled()).layerWeights());
});

test('each epoch leaves metric lines, a CSV row, events and weights', async () => {
  const printed: string[] = [];
  const { history } = await trained([
    metricLines({ write: (text) => printed.push(text) }),
    csvLogger({ filename: path.join(dir, 'log.csv') }),
    modelCheckpoint({ filepath: path.join(dir, 'weights.{epoch:02d}-{val_accuracy:.2f}.hdf5') }),
    tensorBoard({ logDir: path.join(dir, 'Graph'), histogramFreq: 1, writeImages: true }),
  ]);
  const lines = printed
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(12);
  expect(lines[11]).toEqual({ metric: 'val_acc', value: history.epochs[2]!.val_accuracy, epoch: 2, step: 2 });

  const csv = (await readFile(path.join(dir, 'log.csv'), 'utf8')).trim().split('\n');
  expect(csv[0]).toBe('epoch,accuracy,loss,val_accuracy,val_loss');
  expect(csv).toHaveLength(4);

  const { val_accuracy } = history.epochs[0]!;
  const again = await compiled(undefined, 5);
  await again.loadWeights(path.join(dir, `weights.01-${val_accuracy!.toFixed(2)}.hdf5`));
  const scores = await again.evaluate(brightAndDark({ seed: 2 }));
  expect(scores.accuracy).toBeCloseTo(val_accuracy!, 6);

  const files = await findEventFiles(path.join(dir, 'Graph'));
  expect(files.map((file) => path.basename(path.dirname(file))).sort()).toEqual(['train', 'validation']);
  const events = (await Promise.all(files.map((file) => createEventReader(file).read()))).flat();
  const losses = events.flatMap(({ step, scalars }) =>
    scalars.filter(({ tag }) => tag === 'epoch_loss').map(({ value }) => ({ step, value })),
  );
  expect(
    losses
      .filter(({ step }) => step === 2)
      .map(({ value }) => value)
      .sort(),
  ).toEqual([history.epochs[2]!.loss!, history.epochs[2]!.val_loss!].map(Math.fround).sort());
});

test('it stops when the monitored value gets no better', async () => {
  const model = await compiled(sgd({ learningRate: 0 }));
  const history = await model.fit(brightAndDark(), {
    epochs: 50,
    validationData: brightAndDark({ seed: 2 }),
    verbose: 0,
    callbacks: [earlyStopping({ monitor: 'val_loss', patience: 3 })],
  });
  expect(history.epochs).toHaveLength(4);
});

test('the learning rate falls when the monitored value gets no better, after the patience, with a pause, to a floor', async () => {
  const rates: number[] = [];
  const noted: Callback = {
    async onEpochEnd(run) {
      rates.push(await run.model.learningRate());
    },
  };
  const model = await compiled(sgd({ learningRate: 8 }));
  const values = [1, 0.9, 0.9, 0.90001, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5];
  const callback = reduceLROnPlateau({ factor: 0.25, patience: 2, cooldown: 1, minLr: 1 });
  for (const [epoch, loss] of values.entries()) {
    const run = { model, history: [] } as unknown as Parameters<NonNullable<Callback['onEpochEnd']>>[0];
    if (epoch === 0) await callback.onTrainBegin!(run);
    await callback.onEpochEnd!(run, epoch, { val_loss: loss });
    await noted.onEpochEnd!(run, epoch, {});
  }
  // What Keras 2.15's callback does with the same numbers.
  expect(rates).toEqual([8, 8, 8, 2, 2, 1, 1, 1, 1, 1]);
});

test('a loss that is no number ends the training with advice', async () => {
  const model = await compiled(sgd({ learningRate: 1e30 }));
  const training = model.fit(brightAndDark(), { epochs: 5, verbose: 0 });
  await expect(training).rejects.toMatchObject({
    code: 'diverged',
    hint: expect.stringContaining('smaller learning rate (it was 1e+30)'),
  });
});

test('the progress bar draws over itself and leaves one line an epoch', async () => {
  const shown: string[] = [];
  let calls = 0;
  await trained([progressBar({ write: (text) => shown.push(text), now: () => ++calls * 500 })], 2);
  const lines = shown.join('').split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/\[=+\.+\] 1\/4 16 images\/s, 0:0\d left, loss .*\r/);
  expect(lines[0]!.split('\r').at(-1)).toMatch(/^Epoch 1\/2 loss \S+ acc \S+ val_loss \S+ val_acc \S+ \(/);
});

test('layers that don’t fit are refused in words', async () => {
  expect(() => sequential([conv2d({ filters: 1, kernelSize: 3, inputShape: [2, 2, 3] })])).toThrow('2×2');
  expect(() => sequential([dense({ units: 1 })])).toThrow('inputShape');
  const model = sequential([dense({ units: 1, inputShape: [4] })]);
  model.compile({ loss: 'binary_crossentropy', optimizer: 'sgd', backend: await chooseBackend('wasm') });
  await expect(model.engine()).rejects.toThrow("activation('sigmoid')");
});
