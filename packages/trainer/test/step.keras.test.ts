import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../src/backends/backend.js';
import { loadTensorflow } from '../src/backends/tensorflow.js';
import { eagerTensorflow } from '../src/backends/tensorflow-eager.js';
import { findTfjsNode } from '../src/backends/tfjs-node.js';
import type { Batch, StepResult } from '../src/engines/engine.js';
import { GraphEngine } from '../src/engines/graph/engine.js';
import { rowsAtOnce } from '../src/engines/graph/rows-at-once.js';
import { startTensorflow } from '../src/engines/graph/thread.js';
import { rmsprop, type Sequential, sequential, sgd } from '../src/index.js';
import type { Layer } from '../src/layers/layer.js';
import type { Optimizer } from '../src/optimizers.js';
import { askKeras, kerasPythons, wantSetting } from './kerases.js';
import { close, backends as eager, wave } from './parity.js';
import { cases, type StepCase } from './step.cases.js';

const STEPS = 6;

interface Answer {
  losses: number[];
  accuracies: number[];
  predictions: number[];
  /** By weight; of the weights that aren't trained, what the step took off them. */
  gradients: number[][];
}

function batch(step: number, { batch: n, size, classes }: StepCase): Batch {
  const label = (i: number) => (i + step) % classes;
  const x = wave(n * size * size * 3, step * 1.3, 0.5).map((value, i) => {
    const column = Math.floor(i / 3) % size;
    const c = label(Math.floor(i / (size * size * 3)));
    return Math.fround(value + 0.5) * (c > 0 && column >= c - 1 && (column - (c - 1)) % 2 === 0 ? 0.4 : 1);
  });
  const y = new Float32Array(classes === 2 ? n : n * classes);
  for (let i = 0; i < n; i++) {
    if (classes === 2) y[i] = label(i);
    else y[i * classes + label(i)] = 1;
  }
  return { x, y, n, shape: [n, size, size, 3] };
}

async function graphBackend(): Promise<Backend> {
  const loaded = await loadTensorflow();
  if ('reason' in loaded) throw new Error(loaded.reason);
  return loaded.backend;
}

/** Three rows of a batch at once, as if the pictures were large; what is normalised by the batch stays whole. */
async function graphInShares(): Promise<Backend> {
  const backend = await graphBackend();
  const thread = await startTensorflow({ binding: findTfjsNode(process.env).found[0]!.binding });
  const few = (network: Parameters<typeof rowsAtOnce>[0]) => {
    const { train } = rowsAtOnce(network, false);
    return { train: Number.isFinite(train) ? 3 : train, test: 3 };
  };
  return { ...backend, open: (plan) => GraphEngine.open(plan, thread, 'float32', few(plan.network)) };
}

const tfjsNode = wantSetting('MYCLOUD_TEST_TFJS_NODE', 'a folder with @tensorflow/tfjs-node');
if (tfjsNode) process.env.MYCLOUD_TFJS_NODE = tfjsNode;

const backends: Record<string, { needsTensorflow: boolean; open(): Promise<Backend> }> = {
  wasm: { needsTensorflow: false, open: eager.wasm },
  'plain JavaScript': { needsTensorflow: false, open: eager.standard },
  'TensorFlow, op by op': { needsTensorflow: true, open: () => eagerTensorflow() },
  'TensorFlow, one graph': { needsTensorflow: true, open: graphBackend },
  'TensorFlow, one graph, a batch in shares': { needsTensorflow: true, open: graphInShares },
};

/** How a case's weights are drawn, by weight: [phase, scale]. */
const draws = (layers: Layer[]) => {
  const specs = sequential(layers, { seed: 1 }).network.flatMap((built) => built.specs);
  return specs.map((spec, i) => [i, spec.shape.length > 1 ? 0.3 : 0.05]);
};

const questions = Object.fromEntries(
  Object.entries(cases).map(
    ([
      name,
      {
        layers,
        optimizer,
        kerasOptimizer: [className, config],
        ...rest
      },
    ]) => [
      name,
      {
        ...rest,
        layers: layers().map((layer) => ({ class_name: layer.className, config: layer.config })),
        weights: draws(layers()),
        optimizer: { class_name: className, ...config },
      },
    ],
  ),
);

// What Keras 2.15 answered, for machines without it: written by MYCLOUD_TEST_WRITE_KERAS=1.
const stored = new URL('step.keras.json', import.meta.url);
const script = fileURLToPath(new URL('step.keras.py', import.meta.url));
const ask = (python: string) => askKeras<Record<string, Answer>>(python, script, [], questions);
const python2 = kerasPythons['Keras 2.15'];
if (process.env.MYCLOUD_TEST_WRITE_KERAS === '1' && python2) {
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(9)) : value;
  writeFileSync(stored, `${JSON.stringify(ask(python2), short)}\n`);
}

const answers: Record<string, Record<string, Answer>> = {
  'what Keras 2.15 said': JSON.parse(readFileSync(stored, 'utf8')),
};
for (const [name, python] of Object.entries(kerasPythons)) if (python) answers[name] = ask(python);

async function modelOf({ layers, loss }: StepCase, optimizer: Optimizer, backend: Backend) {
  const model = sequential(layers(), { seed: 1 });
  model.compile({ loss, optimizer, backend });
  const engine = await model.engine();
  await engine.write({ weights: drawn(model) });
  return { model, engine };
}

function drawn(model: Sequential): Float32Array[][] {
  let phase = 0;
  return model.network.map(({ specs }) =>
    specs.map(({ name, shape, initial }) => {
      const around = name === 'gamma' || name === 'moving_variance' ? 1 : 0;
      return wave(initial.length, phase++, shape.length > 1 ? 0.3 : 0.05).map((value) => value + around);
    }),
  );
}

describe.each(Object.entries(backends))(
  'a step on %s learns what Keras learns',
  (_name, { needsTensorflow, open }) => {
    describe.skipIf(needsTensorflow && !tfjsNode).each(Object.entries(cases))('%s', (name, one) => {
      test('the same losses, hits and predictions for 6 steps', async () => {
        const { model, engine } = await modelOf(one, one.optimizer, await open());
        const steps: StepResult[] = [];
        for (let i = 0; i < STEPS; i++) steps.push(await engine.trainStep(batch(i, one)));
        const predictions = [...(await model.predict(batch(0, one)))];
        await engine.close();
        for (const [who, { [name]: keras }] of Object.entries(answers)) {
          close(
            steps.map((step) => step.loss),
            keras!.losses,
            1e-4,
            `${who}: loss`,
          );
          close(
            steps.map((step) => step.correct / step.n),
            keras!.accuracies,
            1e-6,
            `${who}: accuracy`,
          );
          close(predictions, keras!.predictions, 1e-4, `${who}: prediction`);
        }
      });

      test('the gradient of every weight, to a ten-thousandth of its largest value', async () => {
        const { model, engine } = await modelOf(one, sgd({ learningRate: 1 }), await open());
        const before = (await engine.read()).weights.flat();
        await engine.trainStep(batch(0, one));
        const after = (await engine.read()).weights.flat();
        await engine.close();
        const names = model.network.flatMap((built) =>
          built.specs.map((spec) => `${built.name}/${spec.name}`),
        );
        for (const [who, { [name]: keras }] of Object.entries(answers)) {
          for (const [w, expected] of keras!.gradients.entries()) {
            const gradient = [...before[w]!].map((value, i) => value - after[w]![i]!);
            const largest = Math.max(...expected.map(Math.abs));
            // Keras 3 moves it towards the biased variance of the batch, Keras 2 and this trainer towards the unbiased.
            const differs = who === 'Keras 3' && names[w]!.endsWith('/moving_variance');
            const tolerance = differs ? 1e-3 : Math.max(1e-4 * largest, 5e-7);
            close(gradient, expected, tolerance, `${who}: ${names[w]}`);
          }
        }
      });
    });
  },
);

test('a step leaves nothing behind: the backend holds as many tensors after ten as after one', async () => {
  const [one] = Object.values(cases);
  for (const open of Object.values(eager)) {
    const { engine } = await modelOf(one!, rmsprop(), await open());
    await engine.trainStep(batch(0, one!));
    const held = tf.memory().numTensors;
    for (let i = 1; i < 10; i++) await engine.trainStep(batch(i, one!));
    await engine.testStep(batch(0, one!));
    await engine.predict(batch(0, one!));
    expect(tf.memory().numTensors).toBe(held);
  }
});
