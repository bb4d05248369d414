import { afterEach, expect, test } from 'vitest';
import type { Engine } from '../src/engines/engine.js';
import {
  activation,
  adam,
  batchNormalization,
  chooseBackend,
  conv2d,
  cosineDecay,
  dense,
  dropout,
  globalAveragePooling2d,
  maxPooling2d,
  rmsprop,
  sequential,
} from '../src/index.js';
import { waveBatch } from './parity.js';
import { SIZE, smallModel } from './support.js';

const open: Engine[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()));
});

const batch = (step: number, n = 8) => waveBatch(step, { size: SIZE, n });

/** `kind` plain: nothing in it that sees a share of a batch instead of the batch. */
async function modelOn(threads: number, kind: 'plain' | 'deep') {
  const model =
    kind === 'deep'
      ? sequential(
          [
            conv2d({ filters: 4, kernelSize: 3, useBias: false, inputShape: [SIZE, SIZE, 3] }),
            batchNormalization(),
            activation('relu'),
            globalAveragePooling2d(),
            dropout(0.3),
            dense({ units: 1, activation: 'sigmoid' }),
          ],
          { seed: 5 },
        )
      : sequential(
          [
            conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [SIZE, SIZE, 3] }),
            maxPooling2d(),
            globalAveragePooling2d(),
            dense({ units: 1, activation: 'sigmoid' }),
          ],
          { seed: 5 },
        );
  const optimizer =
    kind === 'deep'
      ? adam({ learningRate: cosineDecay({ initialLearningRate: 0.01, decaySteps: 10 }) })
      : rmsprop({ learningRate: 0.01 });
  model.compile({
    loss: 'binary_crossentropy',
    optimizer,
    backend: await chooseBackend('wasm', { threads }),
  });
  const engine = await model.engine();
  open.push(engine);
  return { model, engine };
}

test('threads that share the batch learn what one thread learns, also from batches of odd sizes', async () => {
  const [one, three] = [await modelOn(1, 'plain'), await modelOn(3, 'plain')];
  for (const [step, n] of [8, 7, 2, 1, 8].entries()) {
    const [expected, got] = [
      await one.engine.trainStep(batch(step, n)),
      await three.engine.trainStep(batch(step, n)),
    ];
    expect(got.loss).toBeCloseTo(expected.loss, 5);
    expect(got).toMatchObject({ correct: expected.correct, n });
  }
  const [expected, got] = [await one.model.predict(batch(9, 5)), await three.model.predict(batch(9, 5))];
  for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5);
  expect((await three.engine.testStep(batch(9))).loss).toBeCloseTo(
    (await one.engine.testStep(batch(9))).loss,
    5,
  );
});

test('one seed and one number of threads give the same numbers, bit for bit, also after a restore', async () => {
  const steps = async ({ engine }: { engine: Engine }, from: number, to: number) => {
    const results = [];
    for (let i = from; i < to; i++) results.push(await engine.trainStep(batch(i)));
    return results;
  };
  const whole = await modelOn(2, 'deep');
  const all = await steps(whole, 0, 6);

  const first = await modelOn(2, 'deep');
  expect(await steps(first, 0, 3)).toEqual(all.slice(0, 3));
  const second = await modelOn(2, 'deep');
  await second.model.restore(structuredClone(await first.model.state()));
  expect(await steps(second, 3, 6)).toEqual(all.slice(3));
  expect(await second.model.state()).toEqual(await whole.model.state());
});

test('a thread that fails ends the step with a word', async () => {
  const model = smallModel();
  model.compile({
    loss: 'binary_crossentropy',
    optimizer: 'sgd',
    backend: await chooseBackend('wasm', { threads: 2 }),
  });
  const engine = await model.engine();
  open.push(engine);
  const { x, y } = batch(0);
  const wrong = { x, y, n: 8, shape: [8, SIZE, SIZE + 1, 3] };
  await expect(engine.trainStep(wrong)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('A training thread failed'),
  });
});
