import type { GraphNode, Signature } from '@mycloud/tfevents';
import { isActivation } from '../../layers/simple.js';
import type { TrainingPlan } from '../engine.js';
import { type Float, GraphBuilder, type Value } from './graph-builder.js';
import { piecesOf } from './layers.js';
import { lossEmitters } from './losses.js';
import { optimizerEmitters } from './optimizers.js';
import { type Emitted, orders, type Piece } from './piece.js';
import { createVariables } from './variables.js';

/** A step: of a whole batch, or of the first, one more, the last of its shares. */
export type StepName = 'train' | 'train_first' | 'train_more' | 'train_last';
/** What a network has that ends as the loss wants it. */
type JudgedName = StepName | 'test';
export type SignatureName = JudgedName | 'predict' | 'weights' | 'start' | 'write' | 'restore';

export interface TrainingGraph {
  nodes: GraphNode[];
  signatures: Record<Exclude<SignatureName, JudgedName>, Signature> & Partial<Record<JudgedName, Signature>>;
}

interface Gradient {
  place: ReturnType<ReturnType<typeof createVariables>['place']>;
  grad: string;
}

interface Half {
  z: Value;
  emitted: Map<Piece, Emitted>;
}

/**
 * A network's whole step as one TensorFlow graph, and what else is asked of it:
 *   train    x, y, seed, rate, rows → loss and z; the weights and slots are changed
 *   train_first, train_more, train_last  the same for the shares of a batch, which takes less memory than all of it at
 *            once: gradients are added up, and the last share changes the weights. Batch normalisation wants whole batches.
 *   test     x, y → loss and z     predict  x → the last activation
 *   weights  → every weight and slot     restore  takes them     write  takes the weights
 *   start    takes the weights; slots become 0
 * z [n, units] is what the last activation is given. A network that ends in another layer only predicts.
 */
export function trainingGraph(
  { network, loss, optimizer }: Pick<TrainingPlan, 'network' | 'loss' | 'optimizer'>,
  precision: Float,
): TrainingGraph {
  const graph = new GraphBuilder();
  const [first, last] = [network[0]!, network.at(-1)!];
  const isJudged = isActivation(last.layer) && last.layer.activation === loss.activation;
  const order = orders((isJudged ? network.slice(0, -1) : network).flatMap(piecesOf));
  const variables = createVariables(graph, network, optimizer);
  const xShape = [-1, ...first.inputShape];
  const yShape = [-1, ...last.outputShape];
  const x = graph.placeholder('x', 'float32', xShape);
  const y = graph.placeholder('y', 'float32', yShape);
  const seed = graph.placeholder('seed', 'int32', [2]);
  const rate = graph.placeholder('rate', 'float32', []);
  const rows = graph.placeholder('rows', 'int32', [2]);

  const forward = (half: 'train' | 'test'): Half => {
    const read = variables.read(half);
    let value: Value = { ref: x, shape: first.inputShape, type: 'float32' };
    const emitted: Half['emitted'] = new Map();
    for (const piece of order.forward) {
      const weights = piece.uses.map((w) => read(piece.built, w));
      const handles = piece.uses.map((w) => variables.place(piece.built, w).weight);
      const scope = `${half}/${piece.built.name}`;
      const training = half === 'train';
      const at = piece.emit({ graph, scope, weights, handles, training, seed, rows, precision }, value);
      emitted.set(piece, at);
      value = at.y;
    }
    return { z: graph.cast(`${half}/z`, value, 'float32'), emitted };
  };

  /** The gradient of every weight. */
  const backward = (emitted: Half['emitted'], dz: string): Gradient[] => {
    const gradients: Gradient[] = [];
    let dy: Value | undefined = { ref: dz, shape: last.outputShape, type: 'float32' };
    // Nobody needs the gradient below the first piece with weights.
    const lowest = order.backward.findIndex((piece) => piece.uses.length > 0);
    for (let i = order.backward.length - 1; i >= lowest && dy; i--) {
      const piece = order.backward[i]!;
      const { dx, grads } = emitted.get(piece)!.backward(dy, i > lowest);
      for (const [g, grad] of grads.entries()) {
        gradients.push({ place: variables.place(piece.built, piece.uses[g]!), grad });
      }
      dy = dx;
    }
    return gradients;
  };

  const float = (name: string, shape: number[]) => ({ name: `${name}:0`, type: 'float32' as const, shape });
  if (!isJudged) {
    const predict = { inputs: { x: float(x, xShape) }, outputs: { y: float(forward('test').z.ref, yShape) } };
    return { nodes: graph.nodes, signatures: { predict, ...variables.signatures() } };
  }

  const train = forward('train');
  const judged = lossEmitters[loss.name](graph, 'train/loss', train.z, y);
  const total = graph.add('batch/total', 'Cast', [graph.halves('batch', rows)[1]], {
    SrcT: { type: 'int32' },
    DstT: { type: 'float32' },
  });
  const gradients = backward(train.emitted, judged.gradient(total));
  const moved = [...train.emitted.values()].flatMap((at) => at.moved ?? []);
  const test = forward('test');
  const activation = loss.activation === 'sigmoid' ? 'Sigmoid' : 'Softmax';

  const scores = (mean: string, z: string) => ({ loss: float(mean, []), z: float(z, yShape) });
  const pictures = { x: float(x, xShape), y: float(y, yShape) };
  const update = ({ place, grad }: Gradient) =>
    optimizerEmitters[optimizer.name]!.emit(graph, optimizer.config, rate, place, grad);
  /** A step that ends in these nodes. */
  const step = (name: StepName, ends: string[]): Signature => ({
    inputs: {
      ...pictures,
      seed: { name: `${seed}:0`, type: 'int32', shape: [2] },
      rate: float(rate, []),
      rows: { name: `${rows}:0`, type: 'int32', shape: [2] },
    },
    outputs: scores(graph.once(`${name}/done`, judged.loss, ends), train.z.ref),
  });
  const sums = summing(graph, gradients);

  return {
    nodes: graph.nodes,
    signatures: {
      train: step('train', [...gradients.map(update), ...moved]),
      train_first: step('train_first', sums.begin()),
      train_more: step('train_more', sums.add()),
      train_last: step('train_last', sums.with().map(update)),
      test: {
        inputs: pictures,
        outputs: scores(lossEmitters[loss.name](graph, 'test/loss', test.z, y).loss, test.z.ref),
      },
      predict: {
        inputs: { x: pictures.x },
        outputs: { y: float(graph.op(`test/${activation}`, activation, [test.z.ref]), yShape) },
      },
      ...variables.signatures(),
    },
  };
}

/** The gradients of a batch's shares added up in variables. */
function summing(graph: GraphBuilder, gradients: readonly Gradient[]) {
  const dtype = { dtype: { type: 'float32' as const } };
  const each = (op: string) => () =>
    gradients.map(({ place, grad }) => graph.add(`${place.sum}/${op}`, op, [place.sum, grad], dtype));
  return {
    begin: each('AssignVariableOp'),
    add: each('AssignAddVariableOp'),
    /** The sums with the last share's. */
    with: () =>
      gradients.map(({ place, grad }): Gradient => {
        const sum = graph.add(`${place.sum}/read`, 'ReadVariableOp', [place.sum], dtype);
        return { place, grad: graph.op(`${place.sum}/whole`, 'AddV2', [sum, grad]) };
      }),
  };
}
