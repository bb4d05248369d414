import { availableParallelism } from 'node:os';
import { TrainerError } from '../errors.js';
import { type ClassMode, createIterator, type DirectoryIterator } from './iterator.js';
import { augmentation, type GeneratorOptions } from './options.js';
import { scanDirectory } from './scan.js';

export type { DirectoryIterator } from './iterator.js';

export interface FlowOptions {
  /** [height, width] the pictures are resized to, by nearest pixel as Keras's default. */
  targetSize: [height: number, width: number];
  batchSize: number;
  classMode: ClassMode;
  /** Decides the order and every draw; drawn itself where not given. */
  seed?: number;
  /** A new order each epoch; true when not given. */
  shuffle?: boolean;
  /** Takes an even share of each class. */
  maxSamples?: number;
  /** Threads that make batches ahead of the step; the batches don't depend on it. */
  workers?: number;
  /** Memory for decoded pictures; those beyond it are decoded again each epoch. 1 GiB when not given. */
  cacheBytes?: number;
}

function positive(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new TrainerError('bad_option', `${name} is ${value}: it must be a whole number from 1 up.`);
}

/**
 * Keras's ImageDataGenerator: the same ranges, transform, interpolation and fill modes.
 * @throws TrainerError 'bad_option' for a wrong range.
 */
export function imageDataGenerator(options: GeneratorOptions = {}) {
  const how = augmentation(options);
  return {
    /**
     * Reads a folder with one folder of pictures per class. Pictures whose header is broken are left out and
     * named in `skipped`.
     * @throws TrainerError 'no_data' where a class is missing or empty, 'bad_option' for a wrong number.
     */
    async flowFromDirectory(dir: string, flow: FlowOptions): Promise<DirectoryIterator> {
      const [height, width] = flow.targetSize;
      const workers = flow.workers ?? Math.max(1, Math.floor(availableParallelism() / 2));
      const cacheBytes = flow.cacheBytes ?? 2 ** 30;
      const seed = flow.seed ?? Math.floor(Math.random() * 2 ** 31);
      positive('targetSize height', height);
      positive('targetSize width', width);
      positive('batchSize', flow.batchSize);
      positive('workers', workers);
      if (!Number.isSafeInteger(seed))
        throw new TrainerError('bad_option', `seed is ${seed}: give a whole number.`);
      const scan = await scanDirectory(dir, flow.maxSamples);
      if (flow.classMode === 'binary' && scan.classes.length !== 2) {
        throw new TrainerError(
          'no_data',
          `${dir} holds ${scan.classes.length} classes (${scan.classes.join(', ')}): binary training needs two.`,
          { hint: "Remove the other folders, or use classMode 'categorical'." },
        );
      }
      const size = height * width * 3;
      const slots = Math.min(scan.samples.length, Math.floor(cacheBytes / size));
      const setup = {
        samples: scan.samples,
        height,
        width,
        augmentation: how,
        // Memory is taken page by page as pictures are decoded, not here.
        pixels: new SharedArrayBuffer(slots * size),
        flags: new SharedArrayBuffer(slots),
      };
      return createIterator({
        scan,
        setup,
        seed,
        batchSize: flow.batchSize,
        classMode: flow.classMode,
        shuffle: flow.shuffle ?? true,
        workers,
      });
    },
  };
}
