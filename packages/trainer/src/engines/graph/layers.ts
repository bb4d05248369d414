import { TrainerError } from '../../errors.js';
import type { BuiltLayer } from '../../network.js';
import { batchNormalization } from './batch-normalization.js';
import { convolution, globalAveragePooling, maxPooling } from './convolution.js';
import { dense } from './dense.js';
import type { Piece } from './piece.js';
import { activation, dropout, flatten } from './simple.js';

/** How each kind of layer becomes nodes. `place`: which layer of the network it is, from 0. */
const byKind: Record<string, (built: BuiltLayer, place: number) => Piece[]> = {
  conv2d: convolution,
  max_pooling2d: maxPooling,
  global_average_pooling2d: globalAveragePooling,
  batch_normalization: batchNormalization,
  dense,
  activation,
  flatten,
  dropout,
};

/** @throws TrainerError 'internal' for a layer that only the eager engine knows. */
export function piecesOf(built: BuiltLayer, place: number): Piece[] {
  const pieces = byKind[built.layer.kind];
  if (!pieces)
    throw new TrainerError('internal', `The graph engine has no nodes for ${built.layer.className}`);
  return pieces(built, place);
}
