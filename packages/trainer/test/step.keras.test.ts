import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../src/backends/backend.js';
import type { StepResult } from '../src/engines/engine.js';
import {
  activation,
  adam,
  conv2d,
  dense,
  flatten,
  maxPooling2d,
  rmsprop,
  sequential,
  sgd,
} from '../src/index.js';
import { backends, close, wave, waveBatch } from './parity.js';

// What Keras 2.15 answered, written by step.keras.py, which draws weights and batches from the formula below.
const keras = JSON.parse(readFileSync(new URL('step.keras.json', import.meta.url), 'utf8')) as Record<
  'rmsprop' | 'adam',
  { gradients: number[]; losses: number[]; accuracies: number[]; predictions: number[] }
>;
const SIZE = 14;
const BATCH = 8;

const batch = (step: number) => waveBatch(step, { size: SIZE, n: BATCH });

async function modelWith(
  optimizer: Parameters<ReturnType<typeof sequential>['compile']>[0]['optimizer'],
  backend: Backend,
) {
  const model = sequential(
    [
      conv2d({ filters: 4, kernelSize: 3, inputShape: [SIZE, SIZE, 3] }),
      activation('relu'),
      maxPooling2d(),
      conv2d({ filters: 6, kernelSize: 3 }),
      activation('relu'),
      maxPooling2d(),
      flatten(),
      dense({ units: 8 }),
      activation('relu'),
      dense({ units: 1 }),
      activation('sigmoid'),
    ],
    { seed: 1 },
  );
  model.compile({ loss: 'binary_crossentropy', optimizer, backend });
  const engine = await model.engine();
  let phase = 0;
  await engine.write({
    weights: model.network.map(({ specs }) =>
      specs.map((s) => wave(s.initial.length, phase++, s.shape.length > 1 ? 0.3 : 0.05)),
    ),
  });
  return { model, engine };
}

describe.each(['wasm', 'standard'] as const)('a step on %s kernels learns what Keras learns', (kind) => {
  test.each(['rmsprop', 'adam'] as const)(
    '%s: the same losses, hits and predictions for 6 steps',
    async (name) => {
      const optimizer = { rmsprop, adam }[name]({ learningRate: 0.01 });
      const { model, engine } = await modelWith(optimizer, await backends[kind]());
      const steps: StepResult[] = [];
      for (const i of keras[name].losses.keys()) steps.push(await engine.trainStep(batch(i)));
      close(
        steps.map((step) => step.loss),
        keras[name].losses,
        1e-4,
      );
      expect(steps.map((step) => step.correct / step.n)).toEqual(keras[name].accuracies);
      close([...(await model.predict(batch(0)))], keras[name].predictions, 1e-4);
    },
  );

  test('the gradient of every weight has the size Keras gives it', async () => {
    const { engine } = await modelWith(sgd({ learningRate: 1 }), await backends[kind]());
    const before = (await engine.read()).weights.flat();
    await engine.trainStep(batch(0));
    const after = (await engine.read()).weights.flat();
    const norms = before.map((weight, i) => Math.hypot(...weight.map((value, j) => value - after[i]![j]!)));
    close(norms, keras.rmsprop.gradients, 1e-5);
  });

  test('a step leaves nothing behind: the backend holds as many tensors after ten as after one', async () => {
    const { engine } = await modelWith(rmsprop(), await backends[kind]());
    await engine.trainStep(batch(0));
    const held = tf.memory().numTensors;
    for (let i = 1; i < 10; i++) await engine.trainStep(batch(i));
    await engine.testStep(batch(0));
    await engine.predict(batch(0));
    expect(tf.memory().numTensors).toBe(held);
  });
});
