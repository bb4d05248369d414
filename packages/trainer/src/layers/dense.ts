import type { Tensor2D } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors.js';
import { glorotUniform } from '../rng.js';
import type { Layer } from './layer.js';
import { type ActivationName, activation as activationLayer } from './simple.js';

export interface DenseOptions {
  units: number;
  activation?: ActivationName;
  inputShape?: number[];
}

/** x · kernel + bias: [inputs] → [units]. */
export function dense({ units, activation, inputShape }: DenseOptions): Layer {
  return {
    kind: 'dense',
    className: 'Dense',
    config: { units, activation: activation ?? 'linear', use_bias: true },
    inputShape,
    ...(activation ? { followedBy: activationLayer(activation) } : {}),
    outputShape(input) {
      if (input.length !== 1) {
        throw new TrainerError('bad_option', `dense meets a shape of [${input.join(', ')}]`, {
          hint: 'Put flatten() before it.',
        });
      }
      return [units];
    },
    weightSpecs: ([inputs = 0], rng) => [
      { name: 'kernel', shape: [inputs, units], initial: glorotUniform(inputs * units, inputs, units, rng) },
      { name: 'bias', shape: [units], initial: new Float32Array(units) },
    ],
    forward({ tf, weights: [kernel, bias] }, x) {
      return { y: tf.add(tf.matMul(x as Tensor2D, kernel as Tensor2D), bias!), cache: [x] };
    },
    backward({ tf, kernels, weights: [kernel] }, dy, [x], needDx) {
      const dy2 = dy as Tensor2D;
      return {
        grads: [tf.matMul(x as Tensor2D, dy2, true, false), kernels.biasGrad(dy)],
        dx: needDx ? tf.matMul(dy2, kernel as Tensor2D, false, true) : null,
      };
    },
  };
}
