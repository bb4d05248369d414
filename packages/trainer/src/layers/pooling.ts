import type { Tensor4D } from '@tensorflow/tfjs-core';
import { type Layer, pair } from './layer.js';

export interface MaxPooling2dOptions {
  /** 2 by default. The stride is the same: windows don't overlap, and what is left at the edges is dropped. */
  poolSize?: number | [number, number];
}

/** The largest value of each window: [h, w, c] → [⌊h / ph⌋, ⌊w / pw⌋, c]. */
export function maxPooling2d({ poolSize = 2 }: MaxPooling2dOptions = {}): Layer {
  const size = pair(poolSize);
  return {
    kind: 'max_pooling2d',
    className: 'MaxPooling2D',
    config: { pool_size: size, strides: size, padding: 'valid' },
    outputShape: ([h = 0, w = 0, c = 0]) => [Math.floor(h / size[0]), Math.floor(w / size[1]), c],
    weightSpecs: () => [],
    forward({ tf }, x) {
      const y = tf.maxPool(x as Tensor4D, size, size, 'valid');
      return { y, cache: [x, y] };
    },
    backward({ kernels }, dy, [x, y]) {
      return { dx: kernels.maxPoolGrad(x as Tensor4D, y as Tensor4D, dy as Tensor4D, size), grads: [] };
    },
  };
}

/** The mean over height and width: [h, w, c] → [c]. */
export function globalAveragePooling2d(): Layer {
  return {
    kind: 'global_average_pooling2d',
    className: 'GlobalAveragePooling2D',
    config: { keepdims: false },
    outputShape: (input) => [input.at(-1)!],
    weightSpecs: () => [],
    forward: ({ tf }, x) => ({ y: tf.mean(x, [1, 2]), cache: [x] }),
    backward({ tf }, dy, [x]) {
      const [n, h, w, c] = x!.shape as [number, number, number, number];
      const share = tf.reshape(tf.div(dy, h * w), [n, 1, 1, c]);
      return { dx: tf.tile(share, [1, h, w, 1]), grads: [] };
    },
  };
}
