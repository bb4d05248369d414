import { conv2d } from '../layers/conv2d.js';
import { dense } from '../layers/dense.js';
import type { Layer } from '../layers/layer.js';
import { maxPooling2d } from '../layers/pooling.js';
import { dropout, flatten } from '../layers/simple.js';
import type { Recipe } from './recipe.js';

/** Filters of each block's convolutions (Simonyan and Zisserman, 2014, configuration D). */
const blocks = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/** VGG16 without its dense layers, its layers named as keras.applications.VGG16(include_top=False) names them. */
export function vgg16Base(imageSize: number): Layer[] {
  return blocks.flatMap((filters, b) => {
    const convolutions = filters.map((count, c) => ({
      ...conv2d({
        filters: count,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        inputShape: b + c === 0 ? [imageSize, imageSize, 3] : undefined,
      }),
      name: `block${b + 1}_conv${c + 1}`,
    }));
    return [...convolutions, { ...maxPooling2d(), name: `block${b + 1}_pool` }];
  });
}

/** Mean of ImageNet's blue, green and red (keras.applications.imagenet_utils.preprocess_input, mode 'caffe'). */
const MEAN = [103.939, 116.779, 123.68];

/** Turns RGB in 0…255 into what VGG16 was trained on, in place: BGR, less the mean. */
export function vgg16Input(x: Float32Array): Float32Array {
  for (let i = 0; i < x.length; i += 3) {
    const [red, green, blue] = [x[i]!, x[i + 1]!, x[i + 2]!];
    x[i] = blue - MEAN[0]!;
    x[i + 1] = green - MEAN[1]!;
    x[i + 2] = red - MEAN[2]!;
  }
  return x;
}

/**
 * The small network the tutorial's last part puts on VGG16's features [h, w, 512]. The base stays as it is, so its
 * features are computed once.
 */
export const vgg16Head: Recipe = {
  description: 'VGG16 with given weights, frozen, and a small dense network on its features',
  defaults: {
    epochs: 50,
    optimizer: 'rmsprop',
    lr: 0.0001,
    schedule: 'constant',
    dropout: 0.5,
    shear: 0,
    zoom: 0,
    shift: 0,
  },
  layers: ({ imageSize, units, activation, dropout: rate }) => {
    const side = blocks.reduce((size) => Math.floor(size / 2), imageSize);
    return [
      { ...flatten(), inputShape: [side, side, 512] },
      dense({ units: 256, activation: 'relu' }),
      dropout(rate),
      dense({ units, activation }),
    ];
  },
};
