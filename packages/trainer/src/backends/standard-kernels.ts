import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Kernels, Tf } from './backend.js';

/** tfjs's own gradient kernels: what TensorFlow runs, and the reference our wasm kernels are checked against. */
export function standardKernels(tf: Tf): Kernels {
  const run = <T extends Tensor>(name: string, inputs: Record<string, Tensor>, attrs: object): T =>
    tf.engine().runKernel(name, inputs, attrs as Parameters<ReturnType<Tf['engine']>['runKernel']>[2]) as T;
  const conv = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC' };
  return {
    convFilterGrad: (x, dy, filterShape) =>
      run<Tensor4D>('Conv2DBackpropFilter', { x, dy }, { ...conv, filterShape }),
    convInputGrad: (inputShape, dy, filter) =>
      run<Tensor4D>('Conv2DBackpropInput', { dy, filter }, { ...conv, inputShape }),
    maxPoolGrad: (input, output, dy, size) =>
      run<Tensor4D>('MaxPoolGrad', { dy, input, output }, { filterSize: size, strides: size, pad: 'valid' }),
    reluGrad: (dy, y) => tf.mul(dy, tf.step(y)),
    biasGrad: (dy) => tf.sum(tf.reshape(dy, [-1, dy.shape.at(-1)!]), 0),
  };
}
