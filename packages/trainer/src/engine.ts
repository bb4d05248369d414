import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Backend } from './backends/backend.js';
import { TrainerError } from './errors.js';
import type { Layer, StepContext } from './layers/layer.js';
import { isActivation } from './layers/simple.js';
import type { Loss } from './losses.js';
import type { BuiltLayer } from './network.js';
import type { Optimizer } from './optimizers.js';
import type { Rng } from './rng.js';

/** Pictures and answers: x is n·h·w·c values in 0…1, y is n or n·classes. */
export interface Batch {
  x: Float32Array;
  y: Float32Array;
  n: number;
  shape: number[];
}

/** Of one batch: the mean loss, and how many samples were right. */
export type StepResult = { loss: number; correct: number; n: number };

interface Held {
  layer: Layer;
  weights: Variable[];
  /** By weight, then by the optimizer's slot. */
  slots: Variable[][];
}

/**
 * The network on a backend: holds weights and the optimizer's slots there, and runs steps on them. The step is eager
 * and readable; a backend that runs it as one graph would stand behind the same methods.
 */
export class Engine {
  /** Steps taken since the weights were drawn. */
  steps = 0;
  private readonly held: Held[];
  private readonly order: Held[];

  constructor(
    readonly backend: Backend,
    network: readonly BuiltLayer[],
    private readonly loss: Loss,
    private readonly optimizer: Optimizer,
    private readonly rng: Rng,
  ) {
    const { tf } = backend;
    const last = network.at(-1)?.layer;
    if (!isActivation(last) || last.activation !== loss.activation) {
      throw new TrainerError(
        'bad_option',
        `${loss.name} wants activation('${loss.activation}') as the last layer`,
      );
    }
    this.held = network.map(({ layer, specs }) => ({
      layer,
      weights: specs.map((s) => tf.tidy(() => tf.variable(tf.tensor(s.initial, s.shape), false))),
      slots: specs.map((s) =>
        Array.from({ length: optimizer.slots }, () => tf.tidy(() => tf.variable(tf.zeros(s.shape), false))),
      ),
    }));
    this.order = poolBeforeRelu(this.held.slice(0, -1));
  }

  /** One step of training: forward, loss, backward, update. */
  trainStep(batch: Batch): StepResult {
    const { tf } = this.backend;
    return tf.tidy(() => {
      const { z, caches } = this.forward(batch, true);
      const y = tf.tensor(batch.y, z.shape);
      const result = this.judge(z, y, batch);
      this.steps++;
      let dy: Tensor = this.loss.gradient(tf, z, y);
      for (let i = this.order.length - 1; i >= 0; i--) {
        const held = this.order[i]!;
        const cache = caches[i]!;
        const grads = tf.tidy(() => {
          const { dx, grads } = held.layer.backward(this.context(held, true), dy, cache, i > 0);
          return dx ? [dx, ...grads] : grads;
        });
        // Freed here and not at the end of the step: the gradients of the first layers are the largest tensors. What
        // one layer put out is what the next took in, so a layer below may need it still.
        const below = new Set(caches.slice(0, i).flat());
        tf.dispose([dy, ...cache.filter((tensor) => !below.has(tensor))]);
        if (i > 0) dy = grads.shift()!;
        for (const [w, grad] of grads.entries()) this.update(held, w, grad);
      }
      return result;
    });
  }

  /** Loss and hits of a batch without learning from it. */
  testStep(batch: Batch): StepResult {
    const { tf } = this.backend;
    return tf.tidy(() => {
      const { z } = this.forward(batch, false);
      return this.judge(z, tf.tensor(batch.y, z.shape), batch);
    });
  }

  /** The last activation's values: [n] or [n · classes]. */
  predict(batch: Omit<Batch, 'y'>): Float32Array {
    const { tf } = this.backend;
    return tf.tidy(() => {
      const { z } = this.forward(batch, false);
      const last = this.held.at(-1)!;
      return last.layer.forward(this.context(last, false), z).y.dataSync<'float32'>();
    });
  }

  /** Every weight in the order of the layers, and the optimizer's slots beside it: copies, on this side. */
  read(): { weights: Float32Array[][]; slots: Float32Array[][][] } {
    const data = (variable: Variable) => Float32Array.from(variable.dataSync<'float32'>());
    return {
      weights: this.held.map((held) => held.weights.map(data)),
      slots: this.held.map((held) => held.slots.map((slots) => slots.map(data))),
    };
  }

  /** Puts back what `read` gave (slots may be left out: they stay as they are). */
  write(weights: Float32Array[][], slots?: Float32Array[][][]): void {
    const { tf } = this.backend;
    const assign = (variable: Variable, data: Float32Array) =>
      tf.tidy(() => variable.assign(tf.tensor(data, variable.shape)));
    this.held.forEach((held, i) => {
      held.weights.forEach((variable, w) => {
        assign(variable, weights[i]![w]!);
        if (slots) for (const [s, slot] of held.slots[w]!.entries()) assign(slot, slots[i]![w]![s]!);
      });
    });
  }

  dispose(): void {
    this.backend.tf.dispose(this.held.map((held) => [held.weights, held.slots]));
  }

  private context(held: Held, training: boolean): StepContext {
    const { tf, kernels } = this.backend;
    return { tf, kernels, weights: held.weights, training, rng: this.rng };
  }

  /** Up to the last activation, which the loss takes over. */
  private forward(batch: Omit<Batch, 'y'>, training: boolean): { z: Tensor; caches: Tensor[][] } {
    const { tf } = this.backend;
    let x: Tensor = tf.tensor(batch.x, batch.shape);
    const caches: Tensor[][] = [];
    for (const held of this.order) {
      const { y, cache } = held.layer.forward(this.context(held, training), x);
      if (training) caches.push(cache);
      else if (y !== x) x.dispose();
      x = y;
    }
    return { z: x, caches };
  }

  private judge(z: Tensor, y: Tensor, batch: Batch): StepResult {
    const { tf } = this.backend;
    const loss = tf.mean(this.loss.values(tf, z, y)).dataSync()[0]!;
    const correct = this.loss.correct(z.dataSync<'float32'>(), batch.y, z.size / batch.n);
    return { loss, correct, n: batch.n };
  }

  private update(held: Held, w: number, grad: Tensor): void {
    const { tf } = this.backend;
    tf.tidy(() => {
      const slots = held.slots[w]!;
      const next = this.optimizer.update(tf, this.steps, held.weights[w]!, grad, slots);
      // A new tensor each time and never a change in place: the wasm backend keeps packed filters by tensor.
      held.weights[w]!.assign(next.weight);
      for (const [s, slot] of slots.entries()) slot.assign(next.slots[s]!);
    });
  }
}

/**
 * relu → max pooling is computed as max pooling → relu: the same function, and the same gradient (where a window's
 * largest value isn't positive, neither order passes any), on tensors four times smaller.
 */
function poolBeforeRelu(held: Held[]): Held[] {
  const order = [...held];
  for (let i = 0; i + 1 < order.length; i++) {
    const { layer } = order[i]!;
    if (isActivation(layer) && layer.activation === 'relu' && order[i + 1]!.layer.kind === 'max_pooling2d') {
      [order[i], order[i + 1]] = [order[i + 1]!, order[i]!];
    }
  }
  return order;
}
