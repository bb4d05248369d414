import { Command, Option } from 'commander';
import { type Precision, precisions } from '../backends/backend.js';
import { type BackendChoice, backendChoices } from '../backends/choose.js';
import { modelNames, recipes } from '../models/index.js';
import type { TrainingDefaults } from '../models/recipe.js';
import { optimizerNames } from '../optimizers.js';
import { number, parseWith, whole } from './parse.js';

export interface TrainOptions {
  data?: string;
  output?: string;
  model: string;
  baseWeights?: string;
  epochs?: number;
  batchSize: number;
  imageSize: number;
  trainSamples: number;
  valSamples: number;
  stepsPerEpoch?: number;
  valSteps?: number;
  lr?: number;
  schedule?: 'constant' | 'cosine';
  optimizer?: string;
  dropout?: number;
  shear?: number;
  zoom?: number;
  shift?: number;
  flip: boolean;
  seed?: number;
  logdir: string;
  histogramFreq: number;
  weights: string;
  loadWeights?: string;
  backend: BackendChoice;
  precision: Precision;
  threads?: number;
  workers?: number;
  checkpointSeconds: number;
  checkpointSteps?: number;
  resume?: boolean;
  json: boolean;
}

/** A default that depends on the model, for --help. */
function byModel(name: keyof TrainingDefaults): string {
  return modelNames.map((model) => `${model} ${recipes[model].defaults[name]}`).join(', ');
}

function command(): Command {
  return new Command('train')
    .description('Trains a ConvNet on a folder of pictures: train/ and val/, in each one folder per class.')
    .option('--data <folder>', 'the pictures ($MYCLOUD_INPUT, else /input)')
    .option('--output <folder>', 'where relative paths and /output/… lie ($MYCLOUD_OUTPUT, else /output)')
    .option('--model <name>', `${modelNames.join(', ')}, or a model.json in Keras’s format`, 'tutorial')
    .option('--base-weights <file>', 'weights of VGG16 without its top (.h5, as Keras has them)')
    .option('--epochs <n>', `times through the pictures (${byModel('epochs')})`, whole(1))
    .option('--batch-size <n>', 'pictures a step', whole(1), 32)
    .option('--image-size <pixels>', 'height and width they are resized to', whole(1), 150)
    .option('--train-samples <n>', 'pictures to train on, at most', whole(1), 2000)
    .option('--val-samples <n>', 'pictures to validate on, at most', whole(1), 400)
    .option('--steps-per-epoch <n>', 'steps an epoch (pictures / batch size, rounded down)', whole(1))
    .option('--val-steps <n>', 'batches a validation (all pictures once)', whole(1))
    .option('--lr <rate>', `learning rate (${byModel('lr')})`, number(0))
    .addOption(
      new Option('--schedule <name>', `how it goes on (${byModel('schedule')})`).choices([
        'constant',
        'cosine',
      ]),
    )
    .addOption(new Option('--optimizer <name>', byModel('optimizer')).choices(optimizerNames))
    .option('--dropout <share>', `share dropped before the last layer (${byModel('dropout')})`, number(0, 1))
    .option('--shear <degrees>', `shear range (${byModel('shear')})`, number(0))
    .option('--zoom <share>', `zoom range (${byModel('zoom')})`, number(0, 1))
    .option('--shift <share>', `range of shifts, of height and width (${byModel('shift')})`, number(0, 1))
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
    .option('--threads <n>', 'threads that compute, on WebAssembly (one a core)', whole(1))
    .option('--workers <n>', 'threads that prepare pictures', whole(1))
    .option(
      '--checkpoint-seconds <n>',
      'seconds after which a checkpoint is written within an epoch',
      whole(1),
      60,
    )
    .option('--checkpoint-steps <n>', 'steps after which one is written, whichever comes first', whole(1))
    .option('--resume', 'go on from the last checkpoint (so does a job’s second attempt)')
    .option('--no-resume', 'begin anew')
    .option('--json', 'nothing but JSON lines', false)
    .addHelpText(
      'after',
      '\ntrain predict --data FOLDER predicts pictures with what a training left; see train predict --help.\n' +
        'train SCRIPT.ts [arguments] runs a script of your own over the library, @mycloud/trainer.\n' +
        'Exit codes: 0 trained, 1 a bug, 2 a wrong option, 3 wrong or missing pictures, 4 the backend can’t be had,\n' +
        '5 the loss is no number any more, 6 weights, model.json or checkpoint can’t be used, 7 no room for the output,\n130 and 143 stopped (a checkpoint is kept).',
    );
}

/**
 * Reads the command line; undefined where it asked for help, which was printed.
 * @throws TrainerError 'bad_option'
 */
export function parseOptions(argv: string[]): TrainOptions | undefined {
  return parseWith<TrainOptions>(command(), argv);
}
