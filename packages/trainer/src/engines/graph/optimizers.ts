import type { Optimizer } from '../../optimizers.js';
import type { GraphBuilder } from './graph-builder.js';

/** A variable's handle and those of its slots. */
export interface Place {
  name: string;
  weight: string;
  slots: string[];
  /** One more array of its shape, zero, for ops that want one. */
  scratch: string;
}

type OptimizerEmitter = {
  /** What is fed for `rate` at a step (1, 2, …), from its learning rate. */
  rate(config: Optimizer['config'], learningRate: number, step: number): number;
  /** Whether the op wants a scratch array. */
  scratch: boolean;
  /** Adds the node that changes the weight by `grad`; `rate` is the scalar that is fed each step. */
  emit(graph: GraphBuilder, config: Optimizer['config'], rate: string, place: Place, grad: string): string;
};

const shared = (graph: GraphBuilder, name: string, value = 0) => graph.float(`optimizer/${name}`, value);

/**
 * The optimizers of src/optimizers.ts as TensorFlow's fused ops. What changes from step to step (the learning rate,
 * adam's correction of its first steps) is in `rate`, which the engine computes and feeds.
 */
export const optimizerEmitters: Record<string, OptimizerEmitter> = {
  // ms ← ρms + (1 − ρ)g², mom ← 0·mom + rate·g/√(ms + ε), w ← w − mom. ε is under the root, as in Keras 2.15.
  rmsprop: {
    rate: (_config, learningRate) => learningRate,
    scratch: true,
    emit: (graph, config, rate, { name, weight, slots, scratch }, grad) =>
      graph.op(`${name}/update`, 'ResourceApplyRMSProp', [
        weight,
        slots[0]!,
        scratch,
        rate,
        shared(graph, 'rho', config.rho),
        shared(graph, 'momentum'),
        shared(graph, 'epsilon', config.epsilon),
        grad,
      ]),
  },
  // m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − rate·m/(√v + ε). β₁ᵗ and β₂ᵗ are given as 0: their
  // correction is in the rate already.
  adam: {
    rate: ({ beta_1: beta1 = 0, beta_2: beta2 = 0 }, learningRate, step) =>
      (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step),
    scratch: false,
    emit: (graph, config, rate, { name, weight, slots }, grad) =>
      graph.op(`${name}/update`, 'ResourceApplyAdam', [
        weight,
        slots[0]!,
        slots[1]!,
        shared(graph, 'beta1_power'),
        shared(graph, 'beta2_power'),
        rate,
        shared(graph, 'beta1', config.beta_1),
        shared(graph, 'beta2', config.beta_2),
        shared(graph, 'epsilon', config.epsilon),
        grad,
      ]),
  },
  sgd: {
    rate: (_config, learningRate) => learningRate,
    scratch: false,
    emit: (graph, _config, rate, { name, weight }, grad) =>
      graph.op(`${name}/update`, 'ResourceApplyGradientDescent', [weight, rate, grad]),
  },
};
