import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Precision, precisions } from '../backends/backend.js';
import { type BackendChoice, backendChoices } from '../backends/choose.js';
import { TrainerError } from '../errors.js';
import { optimizerNames } from '../optimizers.js';

export interface TrainOptions {
  data?: string;
  output?: string;
  epochs: number;
  batchSize: number;
  imageSize: number;
  trainSamples: number;
  valSamples: number;
  stepsPerEpoch?: number;
  valSteps?: number;
  lr: number;
  optimizer: string;
  dropout: number;
  shear: number;
  zoom: number;
  flip: boolean;
  seed?: number;
  logdir: string;
  histogramFreq: number;
  weights: string;
  loadWeights?: string;
  backend: BackendChoice;
  precision: Precision;
  workers?: number;
  resume?: boolean;
  json: boolean;
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} up.`);
  };
}

function number(least: number, below = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value < below) return value;
    const upper = Number.isFinite(below) ? ` and below ${below}` : '';
    throw new InvalidArgumentError(`It must be a number from ${least} up${upper}.`);
  };
}

function command(): Command {
  return new Command('train')
    .description(
      'Trains the tutorial’s ConvNet on a folder of pictures: train/ and val/, in each one folder per class.',
    )
    .option('--data <folder>', 'the pictures ($MYCLOUD_INPUT, else /input)')
    .option('--output <folder>', 'where relative paths and /output/… lie ($MYCLOUD_OUTPUT, else /output)')
    .option('--epochs <n>', 'times through the pictures', whole(1), 100)
    .option('--batch-size <n>', 'pictures a step', whole(1), 32)
    .option('--image-size <pixels>', 'height and width they are resized to', whole(1), 150)
    .option('--train-samples <n>', 'pictures to train on, at most', whole(1), 2000)
    .option('--val-samples <n>', 'pictures to validate on, at most', whole(1), 400)
    .option('--steps-per-epoch <n>', 'steps an epoch (pictures / batch size, rounded down)', whole(1))
    .option('--val-steps <n>', 'batches a validation (all pictures once)', whole(1))
    .option('--lr <rate>', 'learning rate', number(0), 0.001)
    .addOption(new Option('--optimizer <name>').choices(optimizerNames).default('rmsprop'))
    .option('--dropout <share>', 'share dropped before the last layer', number(0, 1), 0.5)
    .option('--shear <degrees>', 'shear range', number(0), 0.2)
    .option('--zoom <share>', 'zoom range', number(0, 1), 0.2)
    .option('--no-flip', 'don’t mirror pictures')
    .option('--seed <n>', 'makes a training repeatable', whole(0))
    .option('--logdir <folder>', 'TensorBoard event files', 'Graph')
    .option(
      '--histogram-freq <epochs>',
      'histograms of the weights every so many epochs (0: none)',
      whole(0),
      1,
    )
    .option('--weights <file>', 'where the weights go (HDF5, Keras reads it)', 'weights.hdf5')
    .option('--load-weights <file>', 'weights to begin with')
    .addOption(new Option('--backend <name>').choices(backendChoices).default('auto'))
    .addOption(
      new Option(
        '--precision <name>',
        'bf16: convolutions in bfloat16, on TensorFlow where the CPU has avx512_bf16',
      )
        .choices(precisions)
        .default('f32'),
    )
    .option('--workers <n>', 'threads that prepare pictures', whole(1))
    .option('--resume', 'go on from the last checkpoint (so does a job’s second attempt)')
    .option('--no-resume', 'begin anew')
    .option('--json', 'nothing but JSON lines', false)
    .addHelpText(
      'after',
      '\ntrain SCRIPT.ts [arguments] runs a script of your own over the library, @mycloud/trainer.\n' +
        'Exit codes: 0 trained, 1 a bug, 2 a wrong option, 3 wrong or missing pictures, 4 the backend can’t be had,\n' +
        '5 the loss is no number any more, 6 weights or checkpoint can’t be used, 130 and 143 stopped (a checkpoint is kept).',
    )
    .exitOverride();
}

/**
 * Reads the command line; undefined where it asked for help, which was printed.
 * @throws TrainerError 'bad_option'
 */
export function parseOptions(argv: string[]): TrainOptions | undefined {
  const parser = command().configureOutput({ outputError: () => undefined });
  try {
    return parser.parse(argv, { from: 'user' }).opts<TrainOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new TrainerError('bad_option', error.message.replace(/^error: /, ''), {
      hint: 'See train --help.',
    });
  }
}
