import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TrainerError } from '../errors.js';
import { findPictures } from '../images/scan.js';
import { writeWhole } from '../labels.js';
import { contactSheet } from '../predictions/contact-sheet.js';
import { predictionsCsv } from '../predictions/csv.js';
import { predictFiles } from '../predictions/predict-files.js';
import { loadTrained } from '../predictions/trained-model.js';
import { outputFolder } from './paths.js';
import type { PredictOptions } from './predict-options.js';
import { createReport } from './report.js';
import type { TrainDeps } from './train.js';

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
  const { backend, threads, weights } = options;
  const trained = await loadTrained(from, { backend, threads, weights });
  const found = await findPictures(data);
  if (found.files.length === 0) {
    throw new TrainerError('no_data', `There are no pictures in ${data}`, {
      hint: 'Name their folder with --data.',
    });
  }
  const { predictions, skipped } = await predictFiles(trained.model, found.files, {
    ...trained,
    batchSize: options.batchSize,
    signal,
  });
  await trained.close();
  if (signal.aborted) return 'interrupted';
  const csv = path.join(output.dir, 'predictions.csv');
  const sheet = path.join(output.dir, 'predictions.png');
  await writeWhole(csv, predictionsCsv(predictions, data));
  await writeFile(sheet, await contactSheet(predictions));
  report.predicted(predictions, [...found.skipped, ...skipped], { csv, sheet });
  return 'done';
}
