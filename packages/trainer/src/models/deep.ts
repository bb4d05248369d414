import { batchNormalization } from '../layers/batch-normalization.js';
import { conv2d } from '../layers/conv2d.js';
import { dense } from '../layers/dense.js';
import { globalAveragePooling2d, maxPooling2d } from '../layers/pooling.js';
import { activation, dropout } from '../layers/simple.js';
import type { Recipe } from './recipe.js';

/**
 * Five convolutions, each normalised over its batch, and the mean over what is left of the picture instead of a large
 * dense layer: a third of the tutorial's parameters (386,409 for two classes), and clearly better on photographs.
 */
export const deep: Recipe = {
  description: 'five convolutions with batch normalisation, global average pooling',
  defaults: {
    epochs: 60,
    optimizer: 'adam',
    lr: 0.002,
    schedule: 'cosine',
    dropout: 0.3,
    shear: 0.1,
    zoom: 0.3,
    shift: 0.1,
  },
  layers({ imageSize, units, activation: last, dropout: rate }) {
    const convolution = (filters: number, first: { strides?: number; inputShape?: number[] } = {}) => [
      conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...first }),
      batchNormalization({ momentum: 0.9 }),
      activation('relu'),
    ];
    return [
      ...convolution(24, { strides: 2, inputShape: [imageSize, imageSize, 3] }),
      ...[48, 96, 128, 192].flatMap((filters) => [...convolution(filters), maxPooling2d()]),
      globalAveragePooling2d(),
      dropout(rate),
      dense({ units, activation: last }),
    ];
  },
};
