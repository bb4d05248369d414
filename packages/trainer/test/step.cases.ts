import {
  activation,
  adam,
  batchNormalization,
  conv2d,
  cosineDecay,
  dense,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
  rmsprop,
  sgd,
} from '../src/index.js';
import type { Layer } from '../src/layers/layer.js';
import type { LossName } from '../src/losses.js';
import type { Optimizer } from '../src/optimizers.js';

/** A network whose steps are compared with Keras's; the pictures are size × size × 3. */
export interface StepCase {
  size: number;
  /** Pictures in a batch. */
  batch: number;
  classes: number;
  loss: LossName;
  optimizer: Optimizer;
  /** The same in Keras: its class and what it is made with. */
  kerasOptimizer: [className: string, config: Record<string, unknown>];
  layers(): Layer[];
}

const SIZE = 14;

/** The tutorial's kinds of layers, small. */
const tutorial = (outputs: number, last: 'sigmoid' | 'softmax') => () => [
  conv2d({ filters: 4, kernelSize: 3, inputShape: [SIZE, SIZE, 3] }),
  activation('relu'),
  maxPooling2d(),
  conv2d({ filters: 6, kernelSize: 3 }),
  activation('relu'),
  maxPooling2d(),
  flatten(),
  dense({ units: 8 }),
  activation('relu'),
  dense({ units: outputs }),
  activation(last),
];

/** The deeper network's kinds: strides, "same" padding, no bias, batch normalisation, global pooling; an odd size. */
const DEEP_SIZE = 19;
const block = (filters: number, first: object = {}) => [
  conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...first }),
  batchNormalization({ momentum: 0.9 }),
  activation('relu'),
];
const deep = (): Layer[] => [
  ...block(4, { strides: 2, inputShape: [DEEP_SIZE, DEEP_SIZE, 3] }),
  ...block(6),
  maxPooling2d(),
  conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
  globalAveragePooling2d(),
  dense({ units: 6, useBias: false }),
  batchNormalization(),
  activation('relu'),
  dense({ units: 1, activation: 'sigmoid' }),
];

const binary = { size: SIZE, batch: 8, classes: 2, loss: 'binary_crossentropy' as const };

export const cases: Record<string, StepCase> = {
  'the tutorial, rmsprop': {
    ...binary,
    optimizer: rmsprop({ learningRate: 0.01 }),
    kerasOptimizer: ['RMSprop', { learning_rate: 0.01 }],
    layers: tutorial(1, 'sigmoid'),
  },
  'the tutorial, adam': {
    ...binary,
    optimizer: adam({ learningRate: 0.01 }),
    kerasOptimizer: ['Adam', { learning_rate: 0.01 }],
    layers: tutorial(1, 'sigmoid'),
  },
  'three classes, plain descent': {
    ...binary,
    classes: 3,
    loss: 'categorical_crossentropy',
    optimizer: sgd({ learningRate: 0.1 }),
    kerasOptimizer: ['SGD', { learning_rate: 0.1 }],
    layers: tutorial(3, 'softmax'),
  },
  'batch normalisation, adam on a cosine': {
    ...binary,
    size: DEEP_SIZE,
    optimizer: adam({ learningRate: cosineDecay({ initialLearningRate: 0.01, decaySteps: 8 }) }),
    kerasOptimizer: [
      'Adam',
      { learning_rate: { class_name: 'CosineDecay', initial_learning_rate: 0.01, decay_steps: 8 } },
    ],
    layers: deep,
  },
};
