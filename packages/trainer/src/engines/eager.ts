import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Kernels, Tf } from '../backends/backend.js';
import type { Layer, StepContext } from '../layers/layer.js';
import { isActivation } from '../layers/simple.js';
import type { Batch, Engine, StepResult, TrainingPlan, Weights } from './engine.js';

interface Held {
  layer: Layer;
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
    this.held = network.map(({ layer, specs }) => ({
      layer,
      weights: specs.map((s) => tf.tidy(() => tf.variable(tf.tensor(s.initial, s.shape), false))),
      slots: specs.map((s) =>
        Array.from({ length: optimizer.slots }, () => tf.tidy(() => tf.variable(tf.zeros(s.shape), false))),
      ),
    }));
    this.order = poolBeforeRelu(this.held.slice(0, -1));
  }

  async trainStep(batch: Batch): Promise<StepResult> {
    const { tf } = this;
    return tf.tidy(() => {
      const { z, caches } = this.forward(batch, true);
      const y = tf.tensor(batch.y, z.shape);
      const result = this.judge(z, y, batch);
      this.steps++;
      let dy: Tensor = this.plan.loss.gradient(tf, z, y);
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

  async testStep(batch: Batch): Promise<StepResult> {
    const { tf } = this;
    return tf.tidy(() => {
      const { z } = this.forward(batch, false);
      return this.judge(z, tf.tensor(batch.y, z.shape), batch);
    });
  }

  async predict(batch: Omit<Batch, 'y'>): Promise<Float32Array> {
    const { tf } = this;
    return tf.tidy(() => {
      const { z } = this.forward(batch, false);
      const last = this.held.at(-1)!;
      return last.layer.forward(this.context(last, false), z).y.dataSync<'float32'>();
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

  private context(held: Held, training: boolean): StepContext {
    const { tf, kernels } = this;
    return { tf, kernels, weights: held.weights, training, rng: this.plan.rng };
  }

  /** Up to the last activation, which the loss takes over. */
  private forward(batch: Omit<Batch, 'y'>, training: boolean): { z: Tensor; caches: Tensor[][] } {
    const { tf } = this;
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
    const { tf } = this;
    const loss = tf.mean(this.plan.loss.values(tf, z, y)).dataSync()[0]!;
    const correct = this.plan.loss.correct(z.dataSync<'float32'>(), batch.y, z.size / batch.n);
    return { loss, correct, n: batch.n };
  }

  private update(held: Held, w: number, grad: Tensor): void {
    const { tf } = this;
    tf.tidy(() => {
      const slots = held.slots[w]!;
      const next = this.plan.optimizer.update(tf, this.steps, held.weights[w]!, grad, slots);
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
