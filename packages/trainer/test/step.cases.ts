import { activation, adam, conv2d, dense, flatten, maxPooling2d, rmsprop, sgd } from '../src/index.js';
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
  kerasOptimizer: [className: string, config: Record<string, number>];
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
};
