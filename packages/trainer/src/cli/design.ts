import { readFile } from 'node:fs/promises';
import { TrainerError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { modelFromJson } from '../model-json/read.js';
import { answerFor, type ModelName, modelNames, recipes } from '../models/index.js';
import type { TrainingDefaults } from '../models/recipe.js';
import type { TrainOptions } from './options.js';

/** What is trained, and how: the options, and the model's own defaults where they don't say. */
export interface Design extends TrainingDefaults {
  layers: Layer[];
  /** [height, width] of the pictures. */
  targetSize: [number, number];
  classMode: 'binary' | 'categorical';
  /** The layers stand on VGG16's features. */
  onVgg16: boolean;
}

const isName = (model: string): model is ModelName => (modelNames as string[]).includes(model);

/**
 * @throws TrainerError 'bad_option' where there is no such model, 'bad_model' where a model.json is wrong or has not
 * as many answers as there are classes.
 */
export async function designOf(
  options: TrainOptions,
  classes: number,
  resolve: (file: string) => string,
): Promise<Design> {
  const { model, imageSize } = options;
  if (!isName(model) && !model.endsWith('.json')) {
    throw new TrainerError('bad_option', `There is no model "${model}"`, {
      hint: `There are ${modelNames.join(', ')}, or name a model.json.`,
    });
  }
  const { defaults } = isName(model) ? recipes[model] : recipes.tutorial;
  const given = Object.entries(options).filter(([name, value]) => name in defaults && value !== undefined);
  const training = { ...defaults, ...(Object.fromEntries(given) as Partial<TrainingDefaults>) };
  if (!isName(model)) return { ...training, ...(await fromFile(resolve(model), classes)) };
  const needs = { imageSize, dropout: training.dropout, ...answerFor(classes) };
  return {
    ...training,
    layers: recipes[model].layers(needs),
    targetSize: [imageSize, imageSize],
    classMode: classes === 2 ? 'binary' : 'categorical',
    onVgg16: model === 'vgg16',
  };
}

async function fromFile(file: string, classes: number): Promise<Omit<Design, keyof TrainingDefaults>> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new TrainerError('bad_model', `The model can't be read from ${file}: ${cause.message}`, { cause });
  });
  const layers = modelFromJson(text, file);
  const [height = 0, width = 0, channels] = layers[0]!.inputShape!;
  const answers = layers.reduce((shape, layer) => layer.outputShape(shape), layers[0]!.inputShape!);
  const units = answers.at(-1)!;
  const fits = answers.length === 1 && (units === 1 ? classes === 2 : units === classes) && channels === 3;
  if (!fits) {
    throw new TrainerError(
      'bad_model',
      `${file} is for pictures of ${channels} channels and answers with ${answers.join('×')}`,
      { hint: `There are ${classes} classes of pictures of 3 channels.` },
    );
  }
  return {
    layers,
    targetSize: [height, width],
    classMode: units === 1 ? 'binary' : 'categorical',
    onVgg16: false,
  };
}
