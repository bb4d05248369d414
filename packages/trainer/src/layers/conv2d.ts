import type { Tensor4D } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors.js';
import { glorotUniform } from '../rng.js';
import { type Layer, pair } from './layer.js';

export interface Conv2dOptions {
  filters: number;
  kernelSize: number | [number, number];
  /** [height, width, channels]; needed where this is the first layer. */
  inputShape?: number[];
}

/** A convolution of stride 1 without padding ("valid"), with a bias: [h, w, c] → [h − kh + 1, w − kw + 1, filters]. */
export function conv2d({ filters, kernelSize, inputShape }: Conv2dOptions): Layer {
  const [kh, kw] = pair(kernelSize);
  return {
    kind: 'conv2d',
    className: 'Conv2D',
    config: { filters, kernel_size: [kh, kw], strides: [1, 1], padding: 'valid', use_bias: true },
    inputShape,
    outputShape([h = 0, w = 0]) {
      if (h < kh || w < kw) {
        throw new TrainerError(
          'bad_option',
          `The picture is ${h}×${w} where a ${kh}×${kw} convolution meets it`,
          {
            hint: 'Use larger pictures (--image-size) or fewer layers.',
          },
        );
      }
      return [h - kh + 1, w - kw + 1, filters];
    },
    weightSpecs([, , c = 0], rng) {
      const field = kh * kw;
      return [
        {
          name: 'kernel',
          shape: [kh, kw, c, filters],
          initial: glorotUniform(field * c * filters, field * c, field * filters, rng),
        },
        { name: 'bias', shape: [filters], initial: new Float32Array(filters) },
      ];
    },
    forward({ tf, weights: [kernel, bias] }, x) {
      const y = tf.fused.conv2d({
        x: x as Tensor4D,
        filter: kernel as Tensor4D,
        strides: 1,
        pad: 'valid',
        bias: bias!,
      });
      return { y, cache: [x] };
    },
    backward({ kernels, weights: [kernel] }, dy, [x], needDx) {
      const x4 = x as Tensor4D;
      const dy4 = dy as Tensor4D;
      const k4 = kernel as Tensor4D;
      return {
        grads: [kernels.convFilterGrad(x4, dy4, k4.shape), kernels.biasGrad(dy)],
        dx: needDx ? kernels.convInputGrad(x4.shape, dy4, k4) : null,
      };
    },
  };
}
