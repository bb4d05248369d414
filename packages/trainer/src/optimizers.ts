import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from './backends/backend.js';
import { TrainerError } from './errors.js';

/** The rule by which a step changes a weight. Each weight has `slots` arrays of its own shape, zero at first. */
export interface Optimizer {
  readonly name: string;
  readonly slots: number;
  readonly learningRate: number;
  /** The rule's other numbers under the names of Keras's `get_config()`. */
  readonly config: Readonly<Record<string, number>>;
  /** What a step (1, 2, …) is scaled by: the learning rate; with adam, its correction of the first steps too. */
  rate(step: number): number;
  /** The new weight and slots, from the gradient and the step's number (1, 2, …). */
  update(
    tf: Tf,
    step: number,
    weight: Tensor,
    grad: Tensor,
    slots: Tensor[],
  ): { weight: Tensor; slots: Tensor[] };
}

/** Keras 2.15's: v ← ρv + (1 − ρ)g², w ← w − lr · g / √(v + ε); ε stands under the root. */
export function rmsprop({ learningRate = 0.001, rho = 0.9, epsilon = 1e-7 } = {}): Optimizer {
  return {
    name: 'rmsprop',
    slots: 1,
    learningRate,
    config: { rho, epsilon },
    rate: () => learningRate,
    update(tf, _step, weight, grad, [velocity]) {
      const next = tf.add(tf.mul(velocity!, rho), tf.mul(tf.square(grad), 1 - rho));
      const increment = tf.mul(tf.mul(grad, learningRate), tf.rsqrt(tf.add(next, epsilon)));
      return { weight: tf.sub(weight, increment), slots: [next] };
    },
  };
}

/** Keras 2.15's: α = lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ), w ← w − α · m / (√v + ε). */
export function adam({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = {}): Optimizer {
  return {
    name: 'adam',
    slots: 2,
    learningRate,
    config: { beta_1: beta1, beta_2: beta2, epsilon },
    rate: (step) => (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step),
    update(tf, step, weight, grad, [m, v]) {
      const alpha = this.rate(step);
      const m1 = tf.add(m!, tf.mul(tf.sub(grad, m!), 1 - beta1));
      const v1 = tf.add(v!, tf.mul(tf.sub(tf.square(grad), v!), 1 - beta2));
      const next = tf.sub(weight, tf.div(tf.mul(m1, alpha), tf.add(tf.sqrt(v1), epsilon)));
      return { weight: next, slots: [m1, v1] };
    },
  };
}

/** Plain gradient descent: w ← w − lr · g. */
export function sgd({ learningRate = 0.01 } = {}): Optimizer {
  return {
    name: 'sgd',
    slots: 0,
    learningRate,
    config: {},
    rate: () => learningRate,
    update: (tf, _step, weight, grad) => ({ weight: tf.sub(weight, tf.mul(grad, learningRate)), slots: [] }),
  };
}

const byName = { rmsprop, adam, sgd };
export type OptimizerName = keyof typeof byName;
export const optimizerNames = Object.keys(byName) as OptimizerName[];

/** An optimizer by Keras's name, with Keras's defaults but for the learning rate where one is given. */
export function optimizerNamed(name: string, learningRate?: number): Optimizer {
  const make = byName[name as OptimizerName];
  if (!make) {
    throw new TrainerError('bad_option', `There is no optimizer "${name}"`, {
      hint: `There are ${optimizerNames.join(', ')}.`,
    });
  }
  return make(learningRate === undefined ? {} : { learningRate });
}
