import type { Tensor } from '@tensorflow/tfjs-core';
import type { Kernels, Tf } from '../backends/backend.js';
import type { Rng } from '../rng.js';
import type { ActivationLayer } from './simple.js';

/** One array of a layer, with its value before the first step. */
export interface WeightSpec {
  name: 'kernel' | 'bias' | 'gamma' | 'beta' | 'moving_mean' | 'moving_variance';
  shape: number[];
  initial: Float32Array;
  /** Gradients don't change it, the forward pass does. Such weights are a layer's last. */
  moving?: true;
}

/** What a layer is given while a step runs: the ops, the training kernels, its weights, and whether it trains. */
export interface StepContext {
  tf: Tf;
  kernels: Kernels;
  weights: Tensor[];
  training: boolean;
  /** Dropout's generator. */
  rng: Rng;
}

/** A layer's output, the tensors its backward pass needs again, and, while training, its moving weights' next values. */
interface Forward {
  y: Tensor;
  cache: Tensor[];
  moved?: Tensor[];
}

/** Gradients: of the layer's input (null when nobody needs it) and of each weight that isn't moving, in order. */
interface Backward {
  dx: Tensor | null;
  grads: Tensor[];
}

/**
 * A layer: pure functions over tensors with an explicit backward pass, so that the step that is run is the step that
 * is read, and no tape is kept. Shapes have no batch dimension; tensors do, as their first.
 */
export interface Layer {
  /** Its name in the model; made from its kind when not given. */
  readonly name?: string;
  /** Keras's class name in snake case; the first such layer is named so, the next `conv2d_1`. */
  readonly kind: string;
  /** Keras's class name, for the summary. */
  readonly className: string;
  /** Keras's `get_config()` as far as the layer has it, under Keras's names: what model.json and a graph are made from. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Given by the first layer of a model. */
  readonly inputShape?: number[];
  /** The activation given as the layer's option. The network puts it behind the layer, which doesn't compute it itself. */
  readonly followedBy?: ActivationLayer;
  outputShape(input: number[]): number[];
  weightSpecs(input: number[], rng: Rng): WeightSpec[];
  forward(c: StepContext, x: Tensor): Forward;
  backward(c: StepContext, dy: Tensor, cache: Tensor[], needDx: boolean): Backward;
}

export function count(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Keras lets a square size be given as one number. */
export function pair(value: number | [number, number]): [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}
