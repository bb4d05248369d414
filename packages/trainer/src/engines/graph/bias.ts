import type { BuiltLayer } from '../../network.js';
import type { Piece } from './piece.js';

/** Adds a layer's second weight, one value a channel. */
export const biasPiece = (built: BuiltLayer): Piece => ({
  built,
  uses: [1],
  order: 'bias',
  emit({ graph, scope, weights }, x) {
    const bias = graph.cast(`${scope}/bias/cast`, weights[0]!, x.type);
    const y = graph.op(`${scope}/BiasAdd`, 'BiasAdd', [x.ref, bias.ref], {}, x.type);
    return {
      y: { ...x, ref: y },
      backward(given) {
        const dy = graph.cast(`${scope}/grad/cast`, given, x.type);
        const ref = graph.op(`${scope}/grad/BiasAddGrad`, 'BiasAddGrad', [dy.ref], {}, x.type);
        return { dx: dy, grads: [graph.cast(`${scope}/grad/bias`, { ...bias, ref }, 'float32').ref] };
      },
    };
  },
});
