import { readFileSync } from 'node:fs';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  activation,
  adam,
  batchNormalization,
  conv2d,
  cosineDecay,
  dense,
  globalAveragePooling2d,
  maxPooling2d,
  sequential,
} from '../src/index.js';
import type { Layer } from '../src/layers/layer.js';
import { Rng } from '../src/rng.js';
import { backends, close, opsOf, wave, waveBatch } from './parity.js';

interface Case {
  layer: keyof typeof layersByClass;
  shape: number[];
  // biome-ignore lint/suspicious/noExplicitAny: as JSON gives them; each layer knows its own
  options: any;
  output_shape: number[];
  y: number[];
  tested: number[];
  dx: number[];
  grads: number[][];
  moved: number[][];
}
interface Deep {
  rates: number[];
  losses: number[];
  accuracies: number[];
  predictions: number[];
  moving: number[][];
}

/** What Keras 2.15 answered, written by layers.keras.py, which draws its numbers from the same formula. */
const keras = JSON.parse(readFileSync(new URL('layers.keras.json', import.meta.url), 'utf8')) as {
  cases: Case[];
  deep: Deep;
};

const layersByClass = {
  Conv2D: ({ kernel_size: kernelSize, use_bias: useBias, ...rest }: Case['options']) =>
    conv2d({ kernelSize, useBias, ...rest }),
  BatchNormalization: batchNormalization,
  GlobalAveragePooling2D: globalAveragePooling2d,
  MaxPooling2D: ({ pool_size: poolSize }: Case['options']) => maxPooling2d({ poolSize }),
  Dense: dense,
} satisfies Record<string, (options: Case['options']) => Layer>;

describe.each(['wasm', 'standard'] as const)('on %s kernels', (kind) => {
  test.each(keras.cases)('$layer on $shape, $options, gives what Keras gives, both ways', async (one) => {
    const { tf, kernels } = await opsOf(kind);
    const layer = layersByClass[one.layer](one.options);
    const inner = layer.followedBy;
    const input = one.shape.slice(1);
    expect([one.shape[0], ...layer.outputShape(input)]).toEqual(one.output_shape);

    const specs = layer.weightSpecs(input, new Rng(1));
    const weights = specs.map(({ name, shape, initial }, i) => {
      const raised = name === 'moving_variance' || name === 'gamma' ? 1 : 0;
      return tf.add(tf.tensor(wave(initial.length, 2 + i, 0.5), shape), raised) as Tensor;
    });
    const x = tf.tensor(wave(one.dx.length, 1, 1), one.shape);
    const context = (training: boolean) => ({ tf, kernels, weights, training, rng: new Rng(1) });

    const tested = layer.forward(context(false), x).y;
    close((inner ? inner.forward(context(false), tested).y : tested).dataSync(), one.tested, 1e-5, 'tested');
    const c = context(true);
    const { y, cache, moved = [] } = layer.forward(c, x);
    const after = inner?.forward(c, y);
    close((after?.y ?? y).dataSync(), one.y, 1e-5, 'y');
    for (const [i, values] of one.moved.entries()) close(moved[i]!.dataSync(), values, 1e-6, `moving ${i}`);

    const given = tf.tensor(wave(one.y.length, 9, 1), one.output_shape);
    const dy = after ? inner!.backward(c, given, after.cache, true).dx! : given;
    const { dx, grads } = layer.backward(c, dy, cache, true);
    close(dx!.dataSync(), one.dx, 1e-5, 'dx');
    expect(grads).toHaveLength(one.grads.length);
    for (const [i, values] of one.grads.entries()) {
      expect(grads[i]!.shape).toEqual(specs[i]!.shape);
      const largest = Math.max(...values.map(Math.abs));
      close(grads[i]!.dataSync(), values, 1e-5 * Math.max(1, largest), `gradient ${i}`);
    }
  });

  test('a network with batch normalisation learns what Keras learns, on a cosine of learning rates', async () => {
    const size = 19;
    const block = (filters: number, first: object = {}) => [
      conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...first }),
      batchNormalization({ momentum: 0.9 }),
      activation('relu'),
    ];
    const model = sequential([
      ...block(4, { strides: 2, inputShape: [size, size, 3] }),
      ...block(6),
      maxPooling2d(),
      ...block(8),
      maxPooling2d(),
      globalAveragePooling2d(),
      dense({ units: 1, activation: 'sigmoid' }),
    ]);
    const rate = cosineDecay({ initialLearningRate: 0.02, decaySteps: 8 });
    close(
      keras.deep.rates.map((_, i) => rate.at(i)),
      keras.deep.rates,
      1e-8,
      'learning rate',
    );
    const backend = await backends[kind]();
    model.compile({ loss: 'binary_crossentropy', optimizer: adam({ learningRate: rate }), backend });
    const engine = await model.engine();
    let phase = 0;
    const { weights } = await engine.read();
    await engine.write({
      weights: model.network.map(({ specs }, i) =>
        specs.map(({ name }, w) => {
          const drawn = weights[i]![w]!;
          return name === 'kernel' ? wave(drawn.length, phase++, 0.3) : drawn;
        }),
      ),
    });
    for (const [step, loss] of keras.deep.losses.entries()) {
      const result = await engine.trainStep(waveBatch(step, { size, n: 6 }));
      close([result.loss], [loss], 1e-4, `loss of step ${step + 1}`);
      expect(result.correct / result.n).toBeCloseTo(keras.deep.accuracies[step]!, 6);
    }
    close(await model.predict(waveBatch(0, { size, n: 6 })), keras.deep.predictions, 1e-4, 'prediction');
    const after = await engine.read();
    const moving = model.network.flatMap(({ specs }, i) =>
      specs.flatMap((spec, w) => (spec.moving ? [after.weights[i]![w]!] : [])),
    );
    for (const [i, values] of keras.deep.moving.entries()) close(moving[i]!, values, 1e-4, `moving ${i}`);
  });
});
