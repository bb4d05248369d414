import type { LossName } from '../../losses.js';
import type { GraphBuilder, Value } from './graph-builder.js';

interface LossNodes {
  /** The rows' mean loss, a scalar. */
  loss: string;
  /** The part of these rows in the gradient of a batch of `rows` (float32 [1]) by z, the shape of z. */
  gradient(rows: string): string;
}

type LossEmitter = (graph: GraphBuilder, scope: string, z: Value, y: string) => LossNodes;

/** Softplus(z) − z·y is −y·log σ(z) − (1 − y)·log(1 − σ(z)); its slope is σ(z) − y. */
const binary: LossEmitter = (graph, scope, z, y) => {
  const softplus = graph.op(`${scope}/Softplus`, 'Softplus', [z.ref]);
  const product = graph.op(`${scope}/Mul`, 'Mul', [z.ref, y]);
  const each = graph.op(`${scope}/Sub`, 'Sub', [softplus, product]);
  return {
    loss: graph.mean(`${scope}/Mean`, each, [0, 1]),
    gradient(rows) {
      const sigmoid = graph.op(`${scope}/grad/Sigmoid`, 'Sigmoid', [z.ref]);
      const difference = graph.op(`${scope}/grad/Sub`, 'Sub', [sigmoid, y]);
      const values = graph.op(`${scope}/grad/n`, 'Mul', [rows, graph.float(`${scope}/units`, z.shape[0]!)]);
      return graph.op(`${scope}/grad`, 'RealDiv', [difference, values]);
    },
  };
};

const categorical: LossEmitter = (graph, scope, z, y) => {
  const name = 'SoftmaxCrossEntropyWithLogits';
  const each = graph.op(`${scope}/${name}`, name, [z.ref, y]);
  return {
    loss: graph.mean(`${scope}/Mean`, each, [0]),
    gradient: (rows) => graph.op(`${scope}/grad`, 'RealDiv', [`${each}:1`, rows]),
  };
};

/** The losses of src/losses.ts, over what the last activation is given. */
export const lossEmitters: Record<LossName, LossEmitter> = {
  binary_crossentropy: binary,
  categorical_crossentropy: categorical,
};
