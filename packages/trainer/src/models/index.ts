import type { Backend } from '../backends/backend.js';
import type { Layer } from '../layers/layer.js';
import { isActivation } from '../layers/simple.js';
import { type Sequential, sequential } from '../model.js';
import { cosineDecay, optimizerNamed } from '../optimizers.js';
import { deep } from './deep.js';
import type { Recipe, TrainingDefaults } from './recipe.js';
import { tutorial } from './tutorial.js';
import { vgg16Head } from './vgg16.js';

/** The models `train --model` knows by name. */
export const recipes = { tutorial, deep, vgg16: vgg16Head } satisfies Record<string, Recipe>;
export type ModelName = keyof typeof recipes;
export const modelNames = Object.keys(recipes) as ModelName[];

/** What the last layer answers with: one sigmoid for two classes, a softmax for more. */
export function answerFor(classes: number): { units: number; activation: 'sigmoid' | 'softmax' } {
  return classes === 2 ? { units: 1, activation: 'sigmoid' } : { units: classes, activation: 'softmax' };
}

export interface CompiledOptions extends Pick<TrainingDefaults, 'optimizer' | 'lr' | 'schedule'> {
  /** Steps of the whole training, over which a cosine goes down. */
  totalSteps: number;
  seed: number;
  backend: Backend;
}

/** A model of `layers`, with the loss that belongs to its last activation. */
export function compiledModel(layers: Layer[], options: CompiledOptions): Sequential {
  const { optimizer, lr, schedule, totalSteps, seed, backend } = options;
  const model = sequential(layers, { seed });
  const last = model.network.at(-1)!.layer;
  const rate = schedule === 'cosine' ? cosineDecay({ initialLearningRate: lr, decaySteps: totalSteps }) : lr;
  model.compile({
    loss:
      isActivation(last) && last.activation === 'softmax'
        ? 'categorical_crossentropy'
        : 'binary_crossentropy',
    optimizer: optimizerNamed(optimizer, rate),
    metrics: ['accuracy'],
    backend,
  });
  return model;
}
