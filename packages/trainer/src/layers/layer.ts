import type { Tensor } from '@tensorflow/tfjs-core';
import type { Kernels, Tf } from '../backends/backend.js';
import type { Rng } from '../rng.js';

/** One array of a layer: `kernel` or `bias`, with its value before the first step. */
export interface WeightSpec {
  name: 'kernel' | 'bias';
  shape: number[];
  initial: Float32Array;
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

/** A layer's output and the tensors its backward pass needs again. */
interface Forward {
  y: Tensor;
  cache: Tensor[];
}

/** Gradients: of the layer's input (null when nobody needs it) and of each weight, in the order of its specs. */
interface Backward {
  dx: Tensor | null;
  grads: Tensor[];
}

/**
 * A layer: pure functions over tensors with an explicit backward pass, so that the step that is run is the step that
 * is read, and no tape is kept. Shapes have no batch dimension; tensors do, as their first.
 */
export interface Layer {
  /** Keras's class name in snake case; the first such layer is named so, the next `conv2d_1`. */
  readonly kind: string;
  /** Keras's class name, for the summary. */
  readonly className: string;
  /** Keras's `get_config()` as far as the layer has it, under Keras's names: what model.json and a graph are made from. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Given by the first layer of a model. */
  readonly inputShape?: number[];
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
