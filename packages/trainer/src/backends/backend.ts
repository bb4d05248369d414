import type * as tfjs from '@tensorflow/tfjs-core';
import { EagerEngine } from '../engines/eager.js';
import type { Engine, TrainingPlan } from '../engines/engine.js';
import type { Sliding } from '../layers/padding.js';

/** The ops of tfjs; tfjs-node brings its own copy of them, so they are passed and never imported for their values. */
export type Tf = typeof tfjs;

/** The backward ops that backends differ in. All tensors are float32, NHWC, and the caller's to dispose. */
export interface Kernels {
  /** Gradient of a convolution's filter: x [n,h,w,c], dy [n,oh,ow,k] → [kh,kw,c,k]. */
  convFilterGrad(
    x: tfjs.Tensor4D,
    dy: tfjs.Tensor4D,
    filterShape: [number, number, number, number],
    sliding: Sliding,
  ): tfjs.Tensor4D;
  /** Gradient of its input: dy [n,oh,ow,k], filter [kh,kw,c,k] → xShape. */
  convInputGrad(
    xShape: [number, number, number, number],
    dy: tfjs.Tensor4D,
    filter: tfjs.Tensor4D,
    sliding: Sliding,
  ): tfjs.Tensor4D;
  /** Gradient of max pooling without overlap: the first largest value of each window gets dy, the others 0. */
  maxPoolGrad(x: tfjs.Tensor4D, y: tfjs.Tensor4D, dy: tfjs.Tensor4D, size: [number, number]): tfjs.Tensor4D;
  /** dy where y > 0, else 0; y is relu's output. */
  reluGrad(dy: tfjs.Tensor, y: tfjs.Tensor): tfjs.Tensor;
  /** Sum over all but the last dimension. */
  biasGrad(dy: tfjs.Tensor): tfjs.Tensor;
  /** Mean and (biased) variance over all but the last dimension: [c] each. */
  moments(x: tfjs.Tensor): { mean: tfjs.Tensor; variance: tfjs.Tensor };
  /** x · scale + shift, both [c], along the last dimension. */
  scaleAndShift(x: tfjs.Tensor, scale: tfjs.Tensor, shift: tfjs.Tensor): tfjs.Tensor;
  /** Gradients of batch normalisation, whose statistics depend on x; `inverse` is 1 / √(variance + ε). */
  batchNormGrad(
    x: tfjs.Tensor,
    dy: tfjs.Tensor,
    gamma: tfjs.Tensor,
    mean: tfjs.Tensor,
    inverse: tfjs.Tensor,
  ): { dx: tfjs.Tensor; dGamma: tfjs.Tensor; dBeta: tfjs.Tensor };
}

export const precisions = ['f32', 'bf16'] as const;
/** What convolutions compute in; weights, dense layers and the loss are float32 always. */
export type Precision = (typeof precisions)[number];

/** Where the numbers are computed. */
export interface Backend {
  readonly name: 'tensorflow' | 'wasm';
  /** The whole step as one graph, or op by op. */
  readonly engine: 'graph' | 'eager';
  readonly precision: Precision;
  /** One line for the person: what it is, its version. */
  readonly description: string;
  /** Why not a better one; empty when there is none better. */
  readonly reason: string;
  readonly threads: number;
  /** Puts a network on it. */
  open(plan: TrainingPlan): Promise<Engine>;
}

/** A backend that runs a step op by op. */
export const eagerBackend = (
  facts: Omit<Backend, 'open' | 'engine' | 'precision'>,
  { tf, kernels }: { tf: Tf; kernels: Kernels },
): Backend => ({
  ...facts,
  engine: 'eager',
  precision: 'f32',
  open: async (plan) => new EagerEngine(tf, kernels, plan),
});
