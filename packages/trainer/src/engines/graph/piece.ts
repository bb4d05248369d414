import type { BuiltLayer } from '../../network.js';
import type { Float, GraphBuilder, Value } from './graph-builder.js';

/** What a piece's nodes are made from. */
export interface Emission {
  graph: GraphBuilder;
  /** Put before the names of its nodes: the layer's name, in the training or the testing half of the graph. */
  scope: string;
  /** The piece's weights as they are when the step begins. */
  weights: Value[];
  /** Their variables' handles. */
  handles: string[];
  training: boolean;
  /** int32 [2]: the step's. */
  seed: string;
  /** int32 [2]: the first of these rows in the batch, and how many the batch has. */
  rows: string;
  /** What convolutions compute in. */
  precision: Float;
}

/** The gradients of a piece's input (undefined where nobody needs it) and of its weights (float32, in their order; none of moving ones). */
interface Gradients {
  dx: Value | undefined;
  grads: string[];
}

/** A piece's output, and how the gradient goes back through it. */
export interface Emitted {
  y: Value;
  /** While training: the nodes that change its moving weights. */
  moved?: string[];
  /** Adds the backward nodes; dy may be of another float type than y. */
  backward(dy: Value, needDx: boolean): Gradients;
}

/** A part of a layer that can change places: a convolution is its product and its bias. */
export interface Piece {
  built: BuiltLayer;
  /** Which of the layer's weights it uses. */
  uses: number[];
  /**
   * How it stands to max pooling. A piece that is `rising` (channel by channel, a larger input never gives a smaller
   * output) may be done after it, on the few values that are left. So may a `bias`; but TensorFlow adds it within the
   * convolution for nothing, and only its gradient is better summed up over the few.
   */
  order: 'max-pooling' | 'rising' | 'bias' | 'fixed';
  emit(c: Emission, x: Value): Emitted;
}

/** Max pooling goes before what may come after it: the same function on four times fewer values. */
function poolBefore(pieces: readonly Piece[], may: Piece['order'][]): Piece[] {
  const ordered: Piece[] = [];
  for (const piece of pieces) {
    let at = ordered.length;
    while (piece.order === 'max-pooling' && at > 0 && may.includes(ordered[at - 1]!.order)) at--;
    ordered.splice(at, 0, piece);
  }
  return ordered;
}

/** The order of the forward pass, and the order whose reverse the backward pass goes. */
export const orders = (pieces: readonly Piece[]) => ({
  forward: poolBefore(pieces, ['rising']),
  backward: poolBefore(pieces, ['rising', 'bias']),
});
