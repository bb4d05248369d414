import path from 'node:path';
import { chooseBackend } from '../backends/choose.js';
import { backupAndRestore } from '../callbacks/backup-and-restore.js';
import { metricLines } from '../callbacks/metric-lines.js';
import { tensorBoard } from '../callbacks/tensor-board.js';
import { overlapping } from '../images/overlap.js';
import { writeLabels, writeWhole } from '../labels.js';
import type { BatchSource } from '../loop.js';
import { modelToJson } from '../model-json/write.js';
import { compiledModel } from '../models/index.js';
import { namedWeights } from '../weights/fit.js';
import { writeWeights } from '../weights/hdf5.js';
import { designOf } from './design.js';
import type { TrainOptions } from './options.js';
import { dataFolders, outputFolder } from './paths.js';
import { createReport } from './report.js';
import { openSources } from './sources.js';
import { joined, onFeatures, readBase } from './vgg16.js';

export interface TrainDeps {
  env: NodeJS.ProcessEnv;
  /** Ends the training after the step under way, with a checkpoint. */
  signal: AbortSignal;
  write: (text: string) => void;
}

/** Trains as the options say. `interrupted` where the signal ended it. */
export async function train(
  options: TrainOptions,
  { env, signal, write }: TrainDeps,
): Promise<'done' | 'interrupted'> {
  const report = createReport(options.json, write);
  const began = performance.now();
  const output = await outputFolder(options.output, env);
  const data = await dataFolders(options.data, env);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const { batchSize, imageSize } = options;
  const checkpoints = output.resolve('checkpoints');
  const resume = options.resume ?? Number(env.MYCLOUD_ATTEMPT ?? 1) > 1;
  const design = await designOf(options, data.classes.length, output.resolve);
  const base = design.onVgg16
    ? await readBase(options.baseWeights && output.resolve(options.baseWeights), imageSize)
    : undefined;
  // TensorFlow starts in its thread while the pictures' headers are read.
  const { threads, precision } = options;
  const backendStarting = chooseBackend(options.backend, { threads, precision });
  backendStarting.catch(() => undefined); // told below, after what is wrong with the pictures
  const sources = await openSources(data, design, options, seed);
  try {
    const { samples, classes } = sources.train;
    const stepsPerEpoch = options.stepsPerEpoch ?? Math.max(1, Math.floor(samples / batchSize));
    const backend = await backendStarting;
    const model = compiledModel(design.layers, {
      ...design,
      totalSteps: stepsPerEpoch * design.epochs,
      seed,
      backend,
    });
    if (options.loadWeights) await model.loadWeights(output.resolve(options.loadWeights));
    report.start(backend, sources.train, sources.validation, model);
    report.same(await overlapping(sources.train.files, sources.validation.files));
    if (samples < batchSize) {
      report.note(
        `Note: ${samples} pictures are fewer than a batch of ${batchSize}: each step takes them all.`,
      );
    }

    const featured =
      base &&
      (await onFeatures(backend, base, sources, {
        ...{ batchSize, imageSize, seed, signal, resume },
        dir: checkpoints,
        note: report.note,
      }));
    if (base && !featured) return 'interrupted';
    const batches: { train: BatchSource; validation: BatchSource } = featured ?? sources;
    const history = await model.fit(batches.train, {
      epochs: design.epochs,
      stepsPerEpoch,
      validationData: batches.validation,
      validationSteps: options.valSteps,
      verbose: options.json ? 0 : 1,
      signal,
      callbacks: [
        backupAndRestore({
          backupDir: checkpoints,
          everySeconds: options.checkpointSeconds,
          everySteps: options.checkpointSteps,
          resume,
          log: report.note,
        }),
        metricLines({ write }),
        tensorBoard({
          logDir: output.resolve(options.logdir),
          histogramFreq: options.histogramFreq,
          writeGraph: true,
          writeImages: true,
        }),
      ],
    });

    const whole = base
      ? await joined(base, model, design.layers, imageSize)
      : { network: model.network, weights: (await model.state()).weights };
    const weights = output.resolve(options.weights);
    await writeWeights(weights, namedWeights(whole.network, whole.weights));
    await writeWhole(path.join(output.dir, 'model.json'), modelToJson(whole.network));
    await writeLabels(output.dir, { classes, input: base ? 'vgg16' : 'scaled' });
    if (history.interrupted) {
      report.note(`Stopped. The checkpoint in ${checkpoints} goes on from here (--resume).`);
      return 'interrupted';
    }
    report.end(history, weights, (performance.now() - began) / 1000);
    return 'done';
  } finally {
    await sources.close();
  }
}
