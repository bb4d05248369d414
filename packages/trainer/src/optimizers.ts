import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from './backends/backend.js';
import { TrainerError } from './errors.js';

/** A learning rate that depends on the number of steps taken before (0, 1, …). */
export interface Schedule {
  /** Keras's class name and `get_config()`. */
  readonly className: string;
  readonly config: Readonly<Record<string, number>>;
  at(stepsTaken: number): number;
}

/**
 * Keras's CosineDecay: from `initialLearningRate` down half a cosine to `alpha` times it after `decaySteps` steps,
 * where it stays.
 */
export function cosineDecay({
  initialLearningRate,
  decaySteps,
  alpha = 0,
}: {
  initialLearningRate: number;
  decaySteps: number;
  alpha?: number;
}): Schedule {
  return {
    className: 'CosineDecay',
    config: { initial_learning_rate: initialLearningRate, decay_steps: decaySteps, alpha },
    at(stepsTaken) {
      const done = Math.min(stepsTaken, decaySteps) / decaySteps;
      return initialLearningRate * ((1 - alpha) * 0.5 * (1 + Math.cos(Math.PI * done)) + alpha);
    },
  };
}

/** Which step it is: its number (1, 2, …) and its learning rate. */
interface Step {
  step: number;
  rate: number;
}

/** The rule by which a step changes a weight. Each weight has `slots` arrays of its own shape, zero at first. */
export interface Optimizer {
  readonly name: string;
  readonly slots: number;
  /** Keras's `get_config()` but for the learning rate. */
  readonly config: Readonly<Record<string, number>>;
  /** May be set between steps (`reduceLROnPlateau` does). */
  learningRate: number | Schedule;
  /** The new weight and slots, from the gradient. */
  update(
    tf: Tf,
    step: Step,
    weight: Tensor,
    grad: Tensor,
    slots: Tensor[],
  ): { weight: Tensor; slots: Tensor[] };
}

/** The learning rate of the step after `stepsTaken` others. */
export function rateAfter({ learningRate }: Pick<Optimizer, 'learningRate'>, stepsTaken: number): number {
  return typeof learningRate === 'number' ? learningRate : learningRate.at(stepsTaken);
}

interface Rate {
  learningRate?: number | Schedule;
}

/** Keras 2.15's: v ← ρv + (1 − ρ)g², w ← w − lr · g / √(v + ε); ε stands under the root. */
export function rmsprop({
  learningRate = 0.001,
  rho = 0.9,
  epsilon = 1e-7,
}: Rate & { rho?: number; epsilon?: number } = {}): Optimizer {
  return {
    name: 'rmsprop',
    slots: 1,
    config: { rho, epsilon },
    learningRate,
    update(tf, { rate }, weight, grad, [velocity]) {
      const next = tf.add(tf.mul(velocity!, rho), tf.mul(tf.square(grad), 1 - rho));
      const increment = tf.mul(tf.mul(grad, rate), tf.rsqrt(tf.add(next, epsilon)));
      return { weight: tf.sub(weight, increment), slots: [next] };
    },
  };
}

/** Keras 2.15's: α = lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ), w ← w − α · m / (√v + ε). */
export function adam({
  learningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-7,
}: Rate & { beta1?: number; beta2?: number; epsilon?: number } = {}): Optimizer {
  return {
    name: 'adam',
    slots: 2,
    config: { beta_1: beta1, beta_2: beta2, epsilon },
    learningRate,
    update(tf, { step, rate }, weight, grad, [m, v]) {
      const alpha = (rate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
      const m1 = tf.add(m!, tf.mul(tf.sub(grad, m!), 1 - beta1));
      const v1 = tf.add(v!, tf.mul(tf.sub(tf.square(grad), v!), 1 - beta2));
      const next = tf.sub(weight, tf.div(tf.mul(m1, alpha), tf.add(tf.sqrt(v1), epsilon)));
      return { weight: next, slots: [m1, v1] };
    },
  };
}

/** Plain gradient descent: w ← w − lr · g. */
export function sgd({ learningRate = 0.01 }: Rate = {}): Optimizer {
  return {
    name: 'sgd',
    slots: 0,
    config: {},
    learningRate,
    update: (tf, { rate }, weight, grad) => ({ weight: tf.sub(weight, tf.mul(grad, rate)), slots: [] }),
  };
}

const byName = { rmsprop, adam, sgd };
export type OptimizerName = keyof typeof byName;
export const optimizerNames = Object.keys(byName) as OptimizerName[];

/** An optimizer by Keras's name, with Keras's defaults but for the learning rate where one is given. */
export function optimizerNamed(name: string, learningRate?: number | Schedule): Optimizer {
  const make = byName[name as OptimizerName];
  if (!make) {
    throw new TrainerError('bad_option', `There is no optimizer "${name}"`, {
      hint: `There are ${optimizerNames.join(', ')}.`,
    });
  }
  return make(learningRate === undefined ? {} : { learningRate });
}

/** An optimizer without its learning rate as plain data, which crosses to another thread. */
export type OptimizerSetup = Pick<Optimizer, 'name' | 'config'>;

export function setupOf({ name, config }: Optimizer): OptimizerSetup {
  return { name, config };
}

/** The optimizer again; its learning rate is set before each step. */
export function optimizerFrom({ name, config }: OptimizerSetup): Optimizer {
  const { rho, epsilon, beta_1: beta1, beta_2: beta2 } = config;
  if (name === 'rmsprop') return rmsprop({ rho, epsilon });
  if (name === 'adam') return adam({ beta1, beta2, epsilon });
  return sgd();
}
