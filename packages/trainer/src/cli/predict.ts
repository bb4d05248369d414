import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chooseBackend } from '../backends/choose.js';
import { TrainerError } from '../errors.js';
import { findPictures } from '../images/scan.js';
import { modelFromJson } from '../model-json/read.js';
import { compiledModel } from '../models/index.js';
import { vgg16Input } from '../models/vgg16.js';
import { contactSheet } from '../predictions/contact-sheet.js';
import { predictionsCsv } from '../predictions/csv.js';
import { predictFiles } from '../predictions/predict-files.js';
import { readLabels, writeWhole } from './labels.js';
import { outputFolder } from './paths.js';
import type { PredictOptions } from './predict-options.js';
import { createReport } from './report.js';
import type { TrainDeps } from './train.js';

const scaled = (x: Float32Array) => x.map((value) => value / 255);

/**
 * Predicts a folder's pictures with what `train` left in a folder (model.json, labels.json, the weights), and writes
 * predictions.csv and predictions.png to the output. `interrupted` where the signal ended it.
 */
export async function predict(
  options: PredictOptions,
  { env, signal, write }: TrainDeps,
): Promise<'done' | 'interrupted'> {
  const report = createReport(options.json, write);
  const output = await outputFolder(options.output, env);
  const from = output.resolve(options.from ?? '.');
  const data = path.resolve(options.data ?? env.MYCLOUD_INPUT ?? '/input');
  if (!(await stat(data).catch(() => undefined))?.isDirectory()) {
    throw new TrainerError('no_data', `There is no folder ${data}`, {
      hint: 'Name the pictures’ folder with --data.',
    });
  }
  const json = path.join(from, 'model.json');
  const text = await readFile(json, 'utf8').catch((cause: Error) => {
    throw new TrainerError('bad_model', `There is no model in ${from}: ${cause.message}`, {
      cause,
      hint: 'Name the folder train wrote to with --from.',
    });
  });
  const layers = modelFromJson(text, json);
  const labels = await readLabels(from);
  const [height = 0, width = 0] = layers[0]!.inputShape!;
  const model = compiledModel(layers, {
    optimizer: 'sgd',
    lr: 0,
    schedule: 'constant',
    totalSteps: 1,
    seed: 0,
    backend: await chooseBackend(options.backend, { threads: options.threads }),
  });
  const [units = 0] = model.network.at(-1)!.outputShape;
  if ((units === 1 ? 2 : units) !== labels.classes.length) {
    throw new TrainerError(
      'bad_model',
      `${json} answers with ${units}, labels.json names ${labels.classes.length} classes`,
    );
  }
  await model.loadWeights(path.resolve(from, options.weights));
  const found = await findPictures(data);
  if (found.files.length === 0) {
    throw new TrainerError('no_data', `There are no pictures in ${data}`, {
      hint: 'Name their folder with --data.',
    });
  }
  const { predictions, skipped } = await predictFiles(model, found.files, {
    classes: labels.classes,
    targetSize: [height, width],
    batchSize: options.batchSize,
    prepare: labels.input === 'vgg16' ? vgg16Input : scaled,
    signal,
  });
  await (await model.engine()).close();
  if (signal.aborted) return 'interrupted';
  const csv = path.join(output.dir, 'predictions.csv');
  const sheet = path.join(output.dir, 'predictions.png');
  await writeWhole(csv, predictionsCsv(predictions, data));
  await writeFile(sheet, await contactSheet(predictions));
  report.predicted(predictions, [...found.skipped, ...skipped], { csv, sheet });
  return 'done';
}
