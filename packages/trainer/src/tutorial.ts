import type { Backend } from './backends/backend.js';
import { conv2d } from './layers/conv2d.js';
import { dense } from './layers/dense.js';
import { maxPooling2d } from './layers/pooling.js';
import { activation, dropout, flatten } from './layers/simple.js';
import { type Sequential, sequential } from './model.js';
import { optimizerNamed } from './optimizers.js';

export interface TutorialOptions {
  /** Height and width of the pictures. */
  imageSize: number;
  /** 2: one sigmoid and binary cross-entropy; more: a softmax and categorical cross-entropy. */
  classes: number;
  dropoutRate: number;
  optimizer: string;
  learningRate: number;
  seed: number;
  backend: Backend;
}

/**
 * The network of "Building powerful image classification models using very little data" (F. Chollet, the Keras blog,
 * 2016): three convolutions with pooling, a dense layer, half of it dropped while training.
 */
export function tutorialModel(options: TutorialOptions): Sequential {
  const { imageSize, classes, dropoutRate, optimizer, learningRate, seed, backend } = options;
  const binary = classes === 2;
  const model = sequential(
    [
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
      dropout(dropoutRate),
      dense({ units: binary ? 1 : classes }),
      activation(binary ? 'sigmoid' : 'softmax'),
    ],
    { seed },
  );
  model.compile({
    loss: binary ? 'binary_crossentropy' : 'categorical_crossentropy',
    optimizer: optimizerNamed(optimizer, learningRate),
    metrics: ['accuracy'],
    backend,
  });
  return model;
}
