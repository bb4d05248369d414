import { TrainerError } from '../errors.js';
import { count, type Layer } from './layer.js';

export const activationNames = ['relu', 'sigmoid', 'softmax'] as const;
export type ActivationName = (typeof activationNames)[number];

/** An activation layer that knows its function: the loss asks the last one. */
export interface ActivationLayer extends Layer {
  readonly activation: ActivationName;
}

/**
 * `relu` anywhere; `sigmoid` and `softmax` as the last layer, where the loss is computed from what they are given
 * (as Keras does with binary and categorical cross-entropy: exact where the probability rounds to 0 or 1), so the
 * backward pass starts below them.
 */
export function activation(name: ActivationName): ActivationLayer {
  return {
    kind: 'activation',
    className: 'Activation',
    config: { activation: name },
    activation: name,
    outputShape: (input) => input,
    weightSpecs: () => [],
    forward({ tf }, x) {
      if (name === 'relu') {
        const y = tf.relu(x);
        return { y, cache: [y] };
      }
      return { y: name === 'sigmoid' ? tf.sigmoid(x) : tf.softmax(x), cache: [] };
    },
    backward({ kernels }, dy, [y]) {
      if (!y)
        throw new TrainerError('bad_option', `activation('${name}') is only supported as the last layer`);
      return { dx: kernels.reluGrad(dy, y), grads: [] };
    },
  };
}

export function isActivation(layer: Layer | undefined): layer is ActivationLayer {
  return layer !== undefined && 'activation' in layer;
}

/** [h, w, c] → [h · w · c]. */
export function flatten(): Layer {
  return {
    kind: 'flatten',
    className: 'Flatten',
    config: {},
    outputShape: (input) => [count(input)],
    weightSpecs: () => [],
    forward({ tf }, x) {
      return { y: tf.reshape(x, [x.shape[0]!, -1]), cache: [x] };
    },
    backward({ tf }, dy, [x]) {
      return { dx: tf.reshape(dy, x!.shape), grads: [] };
    },
  };
}

/** While training, sets each value to 0 with probability `rate` and divides the others by 1 − rate. */
export function dropout(rate: number): Layer {
  if (!(rate >= 0 && rate < 1)) throw new TrainerError('bad_option', `dropout(${rate}) is not in [0, 1)`);
  return {
    kind: 'dropout',
    className: 'Dropout',
    config: { rate },
    outputShape: (input) => input,
    weightSpecs: () => [],
    forward({ tf, training, rng }, x) {
      if (!training || rate === 0) return { y: tf.clone(x), cache: [] };
      const keep = 1 / (1 - rate);
      const mask = tf.tensor(
        Float32Array.from({ length: x.size }, () => (rng.uniform() < rate ? 0 : keep)),
        x.shape,
      );
      return { y: tf.mul(x, mask), cache: [mask] };
    },
    backward({ tf }, dy, [mask]) {
      return { dx: mask ? tf.mul(dy, mask) : tf.clone(dy), grads: [] };
    },
  };
}
