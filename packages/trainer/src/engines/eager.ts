import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Kernels, Tf } from '../backends/backend.js';
import type { Layer, StepContext, WeightSpec } from '../layers/layer.js';
import { isActivation } from '../layers/simple.js';
import { rateAfter } from '../optimizers.js';
import type { Rng } from '../rng.js';
import type { Batch, Engine, StepResult, TrainingPlan, Weights } from './engine.js';

interface Held {
  /** In the network, from 0. */
  place: number;
  layer: Layer;
  specs: WeightSpec[];
  weights: Variable[];
  /** By weight, then by the optimizer's slot. */
  slots: Variable[][];
}

/** The step as it reads: op after op on tfjs tensors. What other engines do is checked against it. */
export class EagerEngine implements Engine {
  steps = 0;
  private readonly held: Held[];
  private readonly order: Held[];

  constructor(
    private readonly tf: Tf,
    private readonly kernels: Kernels,
    private readonly plan: TrainingPlan,
  ) {
    const { network, optimizer } = plan;
    this.held = network.map(({ layer, specs }, place) => ({
      place,
      layer,
      specs,
      weights: specs.map((s) => tf.tidy(() => tf.variable(tf.tensor(s.initial, s.shape), false))),
      slots: specs.map((s) =>
        Array.from({ length: s.moving ? 0 : optimizer.slots }, () =>
          tf.tidy(() => tf.variable(tf.zeros(s.shape), false)),
        ),
      ),
    }));
    this.order = poolBeforeRelu(this.held.slice(0, -1));
  }

  async trainStep(batch: Batch): Promise<StepResult> {
    const { result, changes } = this.compute(batch, this.plan.rng);
    this.apply(changes);
    this.tf.dispose(changes);
    return result;
  }

  /**
   * Forward and backward. `changes`, by layer and then by weight, holds each weight's gradient, or the next value of
   * one that is moving; they are the caller's to dispose.
   */
  compute(batch: Batch, rng: Rng): { result: StepResult; changes: Tensor[][] } {
    const { tf } = this;
    const changes: Tensor[][] = this.held.map(() => []);
    const result = tf.tidy(() => {
      const { z, caches, moved } = this.forward(batch, rng);
      const y = tf.tensor(batch.y, z.shape);
      const judged = this.judge(z, y, batch);
      let dy: Tensor = this.plan.loss.gradient(tf, z, y);
      for (let i = this.order.length - 1; i >= 0; i--) {
        const held = this.order[i]!;
        const cache = caches[i]!;
        const grads = tf.tidy(() => {
          const { dx, grads } = held.layer.backward(this.context(held, rng), dy, cache, i > 0);
          return dx && i > 0 ? [dx, ...grads] : grads;
        });
        // Freed here and not at the end of the step: the gradients of the first layers are the largest tensors. What
        // one layer put out is what the next took in, so a layer below may need it still.
        const below = new Set(caches.slice(0, i).flat());
        tf.dispose([dy, ...cache.filter((tensor) => !below.has(tensor))]);
        if (i > 0) dy = grads.shift()!;
        changes[held.place] = [...grads, ...moved[i]!].map((tensor) => tf.keep(tensor));
      }
      return judged;
    });
    return { result, changes };
  }

  /** Lets the optimizer change the weights by what `compute` gave; counts the step. */
  apply(changes: readonly Tensor[][]): void {
    const { tf } = this;
    const { optimizer } = this.plan;
    const rate = rateAfter(optimizer, this.steps);
    const step = ++this.steps;
    for (const { place, specs, weights, slots } of this.held) {
      for (const [w, spec] of specs.entries()) {
        tf.tidy(() => {
          const change = changes[place]![w]!;
          const held = slots[w]!;
          const next = spec.moving
            ? { weight: tf.clone(change), slots: [] }
            : optimizer.update(tf, { step, rate }, weights[w]!, change, held);
          // A new tensor each time and never a change in place: the wasm backend keeps packed filters by tensor.
          weights[w]!.assign(next.weight);
          for (const [s, slot] of held.entries()) slot.assign(next.slots[s]!);
        });
      }
    }
  }

  async testStep(batch: Batch): Promise<StepResult> {
    const { tf } = this;
    return tf.tidy(() => {
      const { z } = this.forward(batch);
      return this.judge(z, tf.tensor(batch.y, z.shape), batch);
    });
  }

  async predict(batch: Omit<Batch, 'y'>): Promise<Float32Array> {
    const { tf } = this;
    return tf.tidy(() => {
      const { z } = this.forward(batch);
      const last = this.held.at(-1)!;
      return last.layer.forward(this.context(last), z).y.dataSync<'float32'>();
    });
  }

  async read(): Promise<Weights> {
    const data = (variable: Variable) => Float32Array.from(variable.dataSync<'float32'>());
    return {
      weights: this.held.map((held) => held.weights.map(data)),
      slots: this.held.map((held) => held.slots.map((slots) => slots.map(data))),
    };
  }

  async write({ weights, slots }: Pick<Weights, 'weights'> & Partial<Weights>): Promise<void> {
    const { tf } = this;
    const assign = (variable: Variable, data: Float32Array) =>
      tf.tidy(() => variable.assign(tf.tensor(data, variable.shape)));
    this.held.forEach((held, i) => {
      held.weights.forEach((variable, w) => {
        assign(variable, weights[i]![w]!);
        if (slots) for (const [s, slot] of held.slots[w]!.entries()) assign(slot, slots[i]![w]![s]!);
      });
    });
  }

  async close(): Promise<void> {
    this.tf.dispose(this.held.map((held) => [held.weights, held.slots]));
  }

  /** It trains where there is a generator for dropout. */
  private context(held: Held, rng?: Rng): StepContext {
    const { tf, kernels } = this;
    return { tf, kernels, weights: held.weights, training: rng !== undefined, rng: rng ?? this.plan.rng };
  }

  /** Up to the last activation, which the loss takes over. `caches` and `moved` are by place in `order`. */
  private forward(batch: Omit<Batch, 'y'>, rng?: Rng): { z: Tensor; caches: Tensor[][]; moved: Tensor[][] } {
    const { tf } = this;
    let x: Tensor = tf.tensor(batch.x, batch.shape);
    const caches: Tensor[][] = [];
    const moved: Tensor[][] = [];
    for (const held of this.order) {
      const given = x;
      const forward = tf.tidy(() => {
        const { y, cache, moved = [] } = held.layer.forward(this.context(held, rng), given);
        return { y, cache, moved };
      });
      if (rng) {
        caches.push(forward.cache);
        moved.push(forward.moved);
      } else if (forward.y !== x) x.dispose();
      x = forward.y;
    }
    return { z: x, caches, moved };
  }

  private judge(z: Tensor, y: Tensor, batch: Batch): StepResult {
    const { tf } = this;
    const loss = tf.mean(this.plan.loss.values(tf, z, y)).dataSync()[0]!;
    const correct = this.plan.loss.correct(z.dataSync<'float32'>(), batch.y, z.size / batch.n);
    return { loss, correct, n: batch.n };
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
