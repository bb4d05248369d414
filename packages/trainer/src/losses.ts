import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from './backends/backend.js';
import { TrainerError } from './errors.js';
import type { ActivationName } from './layers/simple.js';

export type LossName = 'binary_crossentropy' | 'categorical_crossentropy';

/** A loss over what the last activation is given (z), joined with that activation as Keras joins them. */
export interface Loss {
  readonly name: LossName;
  readonly activation: ActivationName;
  /** Per sample, [n]. */
  values(tf: Tf, z: Tensor, y: Tensor): Tensor;
  /** Of the batch's mean loss by z, the shape of z. */
  gradient(tf: Tf, z: Tensor, y: Tensor): Tensor;
  /** How many samples of [n, units] are right. */
  correct(z: Float32Array, y: Float32Array, units: number): number;
}

const binary: Loss = {
  name: 'binary_crossentropy',
  activation: 'sigmoid',
  // max(z, 0) − z·y + log(1 + e^−|z|), the form TensorFlow uses: no overflow at either end.
  values(tf, z, y) {
    const each = tf.add(tf.sub(tf.relu(z), tf.mul(z, y)), tf.log1p(tf.exp(tf.neg(tf.abs(z)))));
    return tf.mean(each, -1);
  },
  gradient: (tf, z, y) => tf.div(tf.sub(tf.sigmoid(z), y), z.size),
  // σ(z) > 0.5 exactly where z > 0; for several outputs a sample counts by the share that is right.
  correct(z, y, units) {
    let right = 0;
    for (let i = 0; i < z.length; i++) if (z[i]! > 0 === y[i]! > 0.5) right++;
    return right / units;
  },
};

const categorical: Loss = {
  name: 'categorical_crossentropy',
  activation: 'softmax',
  values: (tf, z, y) => tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(z)), -1)),
  gradient: (tf, z, y) => tf.div(tf.sub(tf.softmax(z), y), z.shape[0]!),
  correct(z, y, units) {
    let right = 0;
    for (let at = 0; at < z.length; at += units) {
      if (argMax(z.subarray(at, at + units)) === argMax(y.subarray(at, at + units))) right++;
    }
    return right;
  },
};

function argMax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

export function lossNamed(name: string): Loss {
  if (name === 'binary_crossentropy') return binary;
  if (name === 'categorical_crossentropy') return categorical;
  throw new TrainerError('bad_option', `There is no loss "${name}"`, {
    hint: 'There are binary_crossentropy and categorical_crossentropy.',
  });
}
