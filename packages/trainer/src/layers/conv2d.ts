import type { Tensor4D } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors.js';
import { glorotUniform } from '../rng.js';
import { type Layer, pair, type WeightSpec } from './layer.js';
import { type Padding, type Sliding, windowsAlong } from './padding.js';
import { type ActivationName, activation as activationLayer } from './simple.js';

export interface Conv2dOptions {
  filters: number;
  kernelSize: number | [number, number];
  /** 1 by default. */
  strides?: number | [number, number];
  /** 'valid' by default. */
  padding?: Padding;
  /** True by default. */
  useBias?: boolean;
  activation?: ActivationName;
  /** [height, width, channels]; needed where this is the first layer. */
  inputShape?: number[];
}

/** A convolution, [h, w, c] → [windows down, windows across, filters], with a kernel [kh, kw, c, filters] and a bias. */
export function conv2d(options: Conv2dOptions): Layer {
  const { filters, kernelSize, strides = 1, padding = 'valid', useBias = true, activation } = options;
  const [kh, kw] = pair(kernelSize);
  const sliding: Sliding = { strides: pair(strides), padding };
  return {
    kind: 'conv2d',
    className: 'Conv2D',
    config: {
      filters,
      kernel_size: [kh, kw],
      strides: sliding.strides,
      padding,
      activation: activation ?? 'linear',
      use_bias: useBias,
    },
    inputShape: options.inputShape,
    ...(activation ? { followedBy: activationLayer(activation) } : {}),
    outputShape([h = 0, w = 0]) {
      if (padding === 'valid' && (h < kh || w < kw)) {
        throw new TrainerError(
          'bad_option',
          `The picture is ${h}×${w} where a ${kh}×${kw} convolution meets it`,
          { hint: 'Use larger pictures (--image-size) or fewer layers.' },
        );
      }
      const [down, across] = sliding.strides;
      return [windowsAlong(h, kh, down, padding).count, windowsAlong(w, kw, across, padding).count, filters];
    },
    weightSpecs([, , c = 0], rng) {
      const field = kh * kw;
      const kernel: WeightSpec = {
        name: 'kernel',
        shape: [kh, kw, c, filters],
        initial: glorotUniform(field * c * filters, field * c, field * filters, rng),
      };
      const bias: WeightSpec = { name: 'bias', shape: [filters], initial: new Float32Array(filters) };
      return useBias ? [kernel, bias] : [kernel];
    },
    forward({ tf, weights: [kernel, bias] }, x) {
      const filter = kernel as Tensor4D;
      const how = { x: x as Tensor4D, filter, strides: sliding.strides, pad: padding };
      return { y: tf.fused.conv2d({ ...how, bias }), cache: [x] };
    },
    backward({ kernels, weights: [kernel] }, dy, [x], needDx) {
      const [x4, dy4, k4] = [x as Tensor4D, dy as Tensor4D, kernel as Tensor4D];
      const dKernel = kernels.convFilterGrad(x4, dy4, k4.shape, sliding);
      return {
        grads: useBias ? [dKernel, kernels.biasGrad(dy)] : [dKernel],
        dx: needDx ? kernels.convInputGrad(x4.shape, dy4, k4, sliding) : null,
      };
    },
  };
}
