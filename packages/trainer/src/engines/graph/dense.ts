import { z } from 'zod';
import type { BuiltLayer } from '../../network.js';
import { biasPiece } from './bias.js';
import type { Piece } from './piece.js';

const config = z.object({ use_bias: z.boolean() });

/** dense: x · kernel in float32, then the bias where it has one. Kernels are [inputs, units]. */
export function dense(built: BuiltLayer): Piece[] {
  const product: Piece = {
    built,
    uses: [0],
    order: 'fixed',
    emit({ graph, scope, weights }, given) {
      const x = graph.cast(`${scope}/cast`, given, 'float32');
      const kernel = weights[0]!.ref;
      const multiply = (name: string, a: string, b: string, transposed: 'a' | 'b' | 'none') =>
        graph.op(name, 'MatMul', [a, b], {
          transpose_a: { bool: transposed === 'a' },
          transpose_b: { bool: transposed === 'b' },
        });
      const y = multiply(`${scope}/MatMul`, x.ref, kernel, 'none');
      return {
        y: { ref: y, shape: built.outputShape, type: 'float32' },
        backward(given, needDx) {
          const dy = graph.cast(`${scope}/grad/cast`, given, 'float32').ref;
          const grads = [multiply(`${scope}/grad/kernel`, x.ref, dy, 'a')];
          if (!needDx) return { dx: undefined, grads };
          return { dx: { ...x, ref: multiply(`${scope}/grad/input`, dy, kernel, 'b') }, grads };
        },
      };
    },
  };
  return config.parse(built.layer.config).use_bias ? [product, biasPiece(built)] : [product];
}
