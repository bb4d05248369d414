import { chooseBackend } from '../backends/choose.js';
import { backupAndRestore } from '../callbacks/backup-and-restore.js';
import { metricLines } from '../callbacks/metric-lines.js';
import { tensorBoard } from '../callbacks/tensor-board.js';
import { TrainerError } from '../errors.js';
import { type DirectoryIterator, imageDataGenerator } from '../images/index.js';
import { tutorialModel } from '../tutorial.js';
import type { TrainOptions } from './options.js';
import { dataFolders, outputFolder } from './paths.js';
import { createReport } from './report.js';

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
  // TensorFlow starts in its thread while the pictures' headers are read.
  const backendStarting = chooseBackend(options.backend, { precision: options.precision });
  backendStarting.catch(() => undefined); // told below, after what is wrong with the pictures
  const open: DirectoryIterator[] = [];
  const flow = {
    targetSize: [options.imageSize, options.imageSize] as [number, number],
    batchSize: options.batchSize,
    classMode: data.classes.length === 2 ? ('binary' as const) : ('categorical' as const),
    seed,
    workers: options.workers,
  };
  try {
    const trainSource = await imageDataGenerator({
      rescale: 1 / 255,
      shearRange: options.shear,
      zoomRange: options.zoom,
      horizontalFlip: options.flip,
    }).flowFromDirectory(data.train, { ...flow, maxSamples: options.trainSamples });
    open.push(trainSource);
    const validation = await imageDataGenerator({ rescale: 1 / 255 }).flowFromDirectory(data.validation, {
      ...flow,
      shuffle: false,
      workers: 1,
      maxSamples: options.valSamples,
    });
    open.push(validation);
    sameClasses(trainSource, validation);

    const backend = await backendStarting;
    const model = tutorialModel({
      imageSize: options.imageSize,
      classes: trainSource.classes.length,
      dropoutRate: options.dropout,
      optimizer: options.optimizer,
      learningRate: options.lr,
      seed,
      backend,
    });
    if (options.loadWeights) await model.loadWeights(output.resolve(options.loadWeights));
    report.start(backend, trainSource, validation, model);
    if (trainSource.samples < options.batchSize) {
      report.note(
        `Note: ${trainSource.samples} pictures are fewer than a batch of ${options.batchSize}: each step takes them all.`,
      );
    }

    const history = await model.fit(trainSource, {
      epochs: options.epochs,
      stepsPerEpoch: options.stepsPerEpoch,
      validationData: validation,
      validationSteps: options.valSteps,
      verbose: options.json ? 0 : 1,
      signal,
      callbacks: [
        backupAndRestore({
          backupDir: output.resolve('checkpoints'),
          resume: options.resume ?? Number(env.MYCLOUD_ATTEMPT ?? 1) > 1,
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
    const weights = output.resolve(options.weights);
    await model.saveWeights(weights);
    if (history.interrupted) {
      report.note(
        `Stopped. The checkpoint in ${output.resolve('checkpoints')} goes on from here (--resume).`,
      );
      return 'interrupted';
    }
    report.end(history, weights, (performance.now() - began) / 1000);
    return 'done';
  } finally {
    await Promise.all(open.map((source) => source.close()));
  }
}

function sameClasses(train: DirectoryIterator, validation: DirectoryIterator): void {
  if (train.classes.join('\n') === validation.classes.join('\n')) return;
  throw new TrainerError(
    'bad_data',
    `Training has the classes ${train.classes.join(', ')}, validation ${validation.classes.join(', ')}`,
    { hint: 'Give both the same folders.' },
  );
}
