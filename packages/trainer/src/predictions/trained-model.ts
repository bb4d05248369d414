import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BackendChoice, chooseBackend } from '../backends/choose.js';
import { TrainerError } from '../errors.js';
import { decodeInto } from '../images/decode.js';
import { DecodingRoom } from '../images/decoding-room.js';
import { readLabels } from '../labels.js';
import type { Sequential } from '../model.js';
import { modelFromJson } from '../model-json/read.js';
import { compiledModel } from '../models/index.js';
import { vgg16Input } from '../models/vgg16.js';
import { answer } from './predict-files.js';

const scaled = (x: Float32Array) => x.map((value) => value / 255);

/** What `train` left in a folder, ready to answer. */
export interface TrainedModel {
  model: Sequential;
  /** In the order of the answers. */
  classes: string[];
  targetSize: [height: number, width: number];
  /** Turns RGB in 0…255 into the model's input. */
  prepare(x: Float32Array): Float32Array;
  /**
   * What a picture (a file as it is, such as a JPEG) shows, and how sure that is.
   * @throws TrainerError 'bad_data' for what is none
   */
  classify(picture: Buffer): Promise<{ predicted: string; probability: number }>;
  close(): Promise<void>;
}

interface LoadOptions {
  /** Of the weights, in the folder. */
  weights?: string;
  backend?: BackendChoice;
  threads?: number;
}

/** Loads model.json, labels.json and the weights that `train` wrote. @throws TrainerError 'bad_model' where they are missing or don't fit */
export async function loadTrained(
  folder: string,
  { weights = 'weights.hdf5', backend = 'auto', threads }: LoadOptions = {},
): Promise<TrainedModel> {
  const json = path.join(folder, 'model.json');
  const text = await readFile(json, 'utf8').catch((cause: Error) => {
    throw new TrainerError('bad_model', `There is no model in ${folder}: ${cause.message}`, {
      cause,
      hint: 'Name the folder train wrote to with --from.',
    });
  });
  const layers = modelFromJson(text, json);
  const labels = await readLabels(folder);
  const [height = 0, width = 0] = layers[0]!.inputShape!;
  const model = compiledModel(layers, {
    optimizer: 'sgd',
    lr: 0,
    schedule: 'constant',
    totalSteps: 1,
    seed: 0,
    backend: await chooseBackend(backend, { threads }),
  });
  const [units = 0] = model.network.at(-1)!.outputShape;
  if ((units === 1 ? 2 : units) !== labels.classes.length) {
    throw new TrainerError(
      'bad_model',
      `${json} answers with ${units}, labels.json names ${labels.classes.length} classes`,
    );
  }
  await model.loadWeights(path.resolve(folder, weights));
  const { classes } = labels;
  const targetSize: [number, number] = [height, width];
  const prepare = labels.input === 'vgg16' ? vgg16Input : scaled;
  // One after the other: an engine computes one batch at a time.
  let last: Promise<unknown> = Promise.resolve();
  const room = new DecodingRoom();
  const classifyNow = async (picture: Buffer) => {
    const pixels = new Uint8Array(height * width * 3);
    await decodeInto(picture, height, width, pixels, room).catch((cause: Error) => {
      throw new TrainerError('bad_data', `This is no picture: ${cause.message}`, { cause });
    });
    const x = prepare(Float32Array.from(pixels));
    return answer(await model.predict({ x, n: 1, shape: [1, height, width, 3] }), classes);
  };
  return {
    model,
    classes,
    targetSize,
    prepare,
    classify(picture) {
      const turn = last.then(() => classifyNow(picture));
      last = turn.catch(() => undefined);
      return turn;
    },
    close: async () => (await model.engine()).close(),
  };
}
