import type { Tensor2D } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors.js';
import { glorotUniform } from '../rng.js';
import type { Layer, WeightSpec } from './layer.js';
import { type ActivationName, activation as activationLayer } from './simple.js';

export interface DenseOptions {
  units: number;
  /** True by default. */
  useBias?: boolean;
  activation?: ActivationName;
  inputShape?: number[];
}

/** x · kernel + bias: [inputs] → [units]. */
export function dense({ units, useBias = true, activation, inputShape }: DenseOptions): Layer {
  return {
    kind: 'dense',
    className: 'Dense',
    config: { units, activation: activation ?? 'linear', use_bias: useBias },
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
    weightSpecs([inputs = 0], rng) {
      const initial = glorotUniform(inputs * units, inputs, units, rng);
      const kernel: WeightSpec = { name: 'kernel', shape: [inputs, units], initial };
      const bias: WeightSpec = { name: 'bias', shape: [units], initial: new Float32Array(units) };
      return useBias ? [kernel, bias] : [kernel];
    },
    forward({ tf, weights: [kernel, bias] }, x) {
      const product = tf.matMul(x as Tensor2D, kernel as Tensor2D);
      return { y: bias ? tf.add(product, bias) : product, cache: [x] };
    },
    backward({ tf, kernels, weights: [kernel] }, dy, [x], needDx) {
      const dy2 = dy as Tensor2D;
      const dKernel = tf.matMul(x as Tensor2D, dy2, true, false);
      return {
        grads: useBias ? [dKernel, kernels.biasGrad(dy)] : [dKernel],
        dx: needDx ? tf.matMul(dy2, kernel as Tensor2D, false, true) : null,
      };
    },
  };
}
