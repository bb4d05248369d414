import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Sliding } from '../layers/padding.js';
import type { Kernels, Tf } from './backend.js';

/** tfjs's own gradient kernels: what TensorFlow runs, and the reference our wasm kernels are checked against. */
export function standardKernels(tf: Tf): Kernels {
  const run = <T extends Tensor>(name: string, inputs: Record<string, Tensor>, attrs: object): T =>
    tf.engine().runKernel(name, inputs, attrs as Parameters<ReturnType<Tf['engine']>['runKernel']>[2]) as T;
  const conv = ({ strides, padding }: Sliding) => ({ strides, pad: padding, dataFormat: 'NHWC' });
  const columns = (x: Tensor) => tf.reshape(x, [-1, x.shape.at(-1)!]);
  return {
    convFilterGrad: (x, dy, filterShape, sliding) =>
      run<Tensor4D>('Conv2DBackpropFilter', { x, dy }, { ...conv(sliding), filterShape }),
    convInputGrad: (inputShape, dy, filter, sliding) =>
      run<Tensor4D>('Conv2DBackpropInput', { dy, filter }, { ...conv(sliding), inputShape }),
    maxPoolGrad: (input, output, dy, size) =>
      run<Tensor4D>('MaxPoolGrad', { dy, input, output }, { filterSize: size, strides: size, pad: 'valid' }),
    reluGrad: (dy, y) => tf.mul(dy, tf.step(y)),
    biasGrad: (dy) => tf.sum(columns(dy), 0),
    moments: (x) => tf.moments(columns(x), 0),
    scaleAndShift: (x, scale, shift) => tf.add(tf.mul(x, scale), shift),
    // With x̂ the normalised x and n the values of a channel: dx = γ / √(variance + ε) · (dy − dβ / n − x̂ · dγ / n).
    batchNormGrad(x, dy, gamma, mean, inverse) {
      const normal = tf.mul(tf.sub(x, mean), inverse);
      const dBeta = tf.sum(columns(dy), 0);
      const dGamma = tf.sum(columns(tf.mul(dy, normal)), 0);
      const n = x.size / gamma.size;
      const inner = tf.sub(tf.sub(dy, tf.div(dBeta, n)), tf.mul(normal, tf.div(dGamma, n)));
      return { dx: tf.mul(inner, tf.mul(gamma, inverse)), dGamma, dBeta };
    },
  };
}
