import type { LossName } from '../../losses.js';
import type { GraphBuilder, Value } from './graph-builder.js';

interface LossNodes {
  /** The batch's mean loss, a scalar. */
  loss: string;
  /** Its gradient by z, the shape of z. */
  gradient(): string;
}

type LossEmitter = (graph: GraphBuilder, scope: string, z: Value, y: string) => LossNodes;

/** How many values a tensor has, as a float32 scalar. */
function countOf(graph: GraphBuilder, name: string, ref: string): string {
  const size = graph.op(name, 'Size', [ref], { out_type: { type: 'int32' } });
  return graph.add(`${name}/float`, 'Cast', [size], { SrcT: { type: 'int32' }, DstT: { type: 'float32' } });
}

/** Softplus(z) − z·y is −y·log σ(z) − (1 − y)·log(1 − σ(z)); its slope is σ(z) − y. */
const binary: LossEmitter = (graph, scope, z, y) => {
  const softplus = graph.op(`${scope}/Softplus`, 'Softplus', [z.ref]);
  const product = graph.op(`${scope}/Mul`, 'Mul', [z.ref, y]);
  const each = graph.op(`${scope}/Sub`, 'Sub', [softplus, product]);
  return {
    loss: graph.mean(`${scope}/Mean`, each, [0, 1]),
    gradient() {
      const sigmoid = graph.op(`${scope}/grad/Sigmoid`, 'Sigmoid', [z.ref]);
      const difference = graph.op(`${scope}/grad/Sub`, 'Sub', [sigmoid, y]);
      return graph.op(`${scope}/grad`, 'RealDiv', [difference, countOf(graph, `${scope}/grad/n`, z.ref)]);
    },
  };
};

const categorical: LossEmitter = (graph, scope, z, y) => {
  const name = 'SoftmaxCrossEntropyWithLogits';
  const each = graph.op(`${scope}/${name}`, name, [z.ref, y]);
  return {
    loss: graph.mean(`${scope}/Mean`, each, [0]),
    gradient: () =>
      graph.op(`${scope}/grad`, 'RealDiv', [`${each}:1`, countOf(graph, `${scope}/grad/n`, each)]),
  };
};

/** The losses of src/losses.ts, over what the last activation is given. */
export const lossEmitters: Record<LossName, LossEmitter> = {
  binary_crossentropy: binary,
  categorical_crossentropy: categorical,
};
