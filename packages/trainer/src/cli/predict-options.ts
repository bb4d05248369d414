import { Command, Option } from 'commander';
import { type BackendChoice, backendChoices } from '../backends/choose.js';
import { parseWith, whole } from './parse.js';

export interface PredictOptions {
  data?: string;
  from?: string;
  weights: string;
  output?: string;
  batchSize: number;
  backend: BackendChoice;
  threads?: number;
  json: boolean;
}

/**
 * Reads the command line after `train predict`; undefined where it asked for help, which was printed.
 * @throws TrainerError 'bad_option'
 */
export function parsePredictOptions(argv: string[]): PredictOptions | undefined {
  const command = new Command('train predict')
    .description('Predicts the pictures of a folder: predictions.csv, and predictions.png that shows them.')
    .option(
      '--data <folder>',
      'the pictures, in folders named as the classes where these are known ($MYCLOUD_INPUT)',
    )
    .option('--from <folder>', 'what train wrote: model.json, labels.json, weights (the output folder)')
    .option('--weights <file>', 'the weights, in that folder', 'weights.hdf5')
    .option('--output <folder>', 'where the predictions go ($MYCLOUD_OUTPUT, else /output)')
    .option('--batch-size <n>', 'pictures at a time', whole(1), 32)
    .addOption(new Option('--backend <name>').choices(backendChoices).default('auto'))
    .option('--threads <n>', 'threads that compute, on WebAssembly (one a core)', whole(1))
    .option('--json', 'nothing but JSON lines', false);
  return parseWith<PredictOptions>(command, argv);
}
