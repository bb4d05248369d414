import path from 'node:path';
import type { Backend } from '../backends/backend.js';
import type { Engine } from '../engines/engine.js';
import { TrainerError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import type { BatchSource } from '../loop.js';
import { lossNamed } from '../losses.js';
import type { Sequential } from '../model.js';
import { computeFeatures, type Features, featureSource } from '../models/features.js';
import { featuresKey, readFeatures, writeFeatures } from '../models/features-file.js';
import { vgg16Base, vgg16Input } from '../models/vgg16.js';
import { type BuiltLayer, buildNetwork } from '../network.js';
import { sgd } from '../optimizers.js';
import { Rng } from '../rng.js';
import { readWeightsFor } from '../weights/fit.js';
import type { Sources } from './sources.js';

/** The frozen base: its network, and its weights, which no step changes. */
interface Base {
  network: BuiltLayer[];
  weights: Float32Array[][];
}

/** @throws TrainerError 'bad_option' without a file, 'bad_weights' where it isn't VGG16's without its top. */
export async function readBase(file: string | undefined, imageSize: number): Promise<Base> {
  if (file === undefined) {
    throw new TrainerError('bad_option', 'vgg16 wants the weights of VGG16 without its top', {
      hint: 'Mount them and name the file: --base-weights /input/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5',
    });
  }
  const network = buildNetwork(vgg16Base(imageSize), new Rng(0));
  return { network, weights: await readWeightsFor(file, network) };
}

/**
 * The sources' pictures as the base's features; undefined when the signal came. They are kept in `dir`, where a training
 * that goes on (`resume`) finds them.
 */
export async function onFeatures(
  backend: Backend,
  { network, weights }: Base,
  { train, validation }: Sources,
  how: {
    batchSize: number;
    imageSize: number;
    seed: number;
    dir: string;
    resume: boolean;
    signal: AbortSignal;
    note: (text: string) => void;
  },
): Promise<{ train: BatchSource; validation: BatchSource } | undefined> {
  // It never trains: the loss and the optimizer are there because an engine has them.
  const plan = { network, loss: lossNamed('binary_crossentropy'), optimizer: sgd(), rng: new Rng(0) };
  const engine: Engine = await backend.open(plan);
  try {
    await engine.write({ weights });
    const shape = network.at(-1)!.outputShape;
    const features = async (source: typeof train, name: string): Promise<Features | undefined> => {
      const file = path.join(how.dir, `features-${name.split(' ')[0]}`);
      const key = featuresKey(weights, source.files, how.imageSize);
      const kept = how.resume ? await readFeatures(file, key) : undefined;
      if (kept) {
        how.note(`VGG16's features of the pictures to ${name} are there already.`);
        return kept;
      }
      let told = 0;
      const onProgress = (done: number, total: number) => {
        const tenth = Math.floor((10 * done) / total);
        if (tenth > told) how.note(`VGG16's features of the pictures to ${name}: ${done} of ${total}.`);
        told = tenth;
      };
      const { signal } = how;
      const made = await computeFeatures(engine, source, shape, { prepare: vgg16Input, signal, onProgress });
      if (made) await writeFeatures(file, key, made);
      return made;
    };
    const learnt = await features(train, 'train on');
    const judged = learnt && (await features(validation, 'validate on'));
    if (!judged) return undefined;
    return {
      train: featureSource(learnt, how.batchSize, how.seed),
      validation: featureSource(judged, how.batchSize),
    };
  } finally {
    await engine.close();
  }
}

/** The base and the head on it as one network, with its weights. */
export async function joined(
  base: Base,
  head: Sequential,
  layers: Layer[],
  imageSize: number,
): Promise<{ network: BuiltLayer[]; weights: Float32Array[][] }> {
  const { weights } = await (await head.engine()).read();
  const network = buildNetwork([...vgg16Base(imageSize), ...layers], new Rng(0));
  return { network, weights: [...base.weights, ...weights] };
}
