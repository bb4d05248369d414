import { conv2d } from '../layers/conv2d.js';
import { dense } from '../layers/dense.js';
import { maxPooling2d } from '../layers/pooling.js';
import { activation, dropout, flatten } from '../layers/simple.js';
import type { Recipe } from './recipe.js';

/**
 * The network of "Building powerful image classification models using very little data" (F. Chollet, the Keras blog,
 * 2016): three convolutions with pooling, a dense layer, half of it dropped while training.
 */
export const tutorial: Recipe = {
  description: 'three convolutions and a dense layer: the tutorial’s',
  defaults: {
    epochs: 100,
    optimizer: 'rmsprop',
    lr: 0.001,
    schedule: 'constant',
    dropout: 0.5,
    shear: 0.2,
    zoom: 0.2,
    shift: 0,
  },
  layers: ({ imageSize, units, activation: last, dropout: rate }) => [
    conv2d({ filters: 32, kernelSize: 3, inputShape: [imageSize, imageSize, 3] }),
    activation('relu'),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 32, kernelSize: 3 }),
    activation('relu'),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 64, kernelSize: 3 }),
    activation('relu'),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 64 }),
    activation('relu'),
    dropout(rate),
    dense({ units }),
    activation(last),
  ],
};
