import { TrainerError } from '../errors.js';
import { type DirectoryIterator, imageDataGenerator } from '../images/index.js';
import type { Design } from './design.js';
import type { TrainOptions } from './options.js';
import type { DataFolders } from './paths.js';

export interface Sources {
  train: DirectoryIterator;
  validation: DirectoryIterator;
  close(): Promise<void>;
}

/**
 * Opens both folders: the training's pictures augmented and shuffled, unless they become VGG16's features, which are
 * computed once and want their values in 0…255.
 * @throws TrainerError 'no_data'; 'bad_data' where the two have not the same classes.
 */
export async function openSources(
  data: DataFolders,
  design: Design,
  options: TrainOptions,
  seed: number,
): Promise<Sources> {
  const { targetSize, classMode, onVgg16, shear, zoom, shift } = design;
  const flow = { targetSize, batchSize: options.batchSize, classMode, seed };
  const rescale = onVgg16 ? 1 : 1 / 255;
  const augmented = {
    rescale,
    shearRange: shear,
    zoomRange: zoom,
    widthShiftRange: shift,
    heightShiftRange: shift,
    horizontalFlip: options.flip,
  };
  const train = await imageDataGenerator(onVgg16 ? { rescale } : augmented).flowFromDirectory(data.train, {
    ...flow,
    shuffle: !onVgg16,
    workers: options.workers,
    maxSamples: options.trainSamples,
  });
  try {
    const validation = await imageDataGenerator({ rescale }).flowFromDirectory(data.validation, {
      ...flow,
      shuffle: false,
      workers: 1,
      maxSamples: options.valSamples,
    });
    const close = async () => {
      await Promise.all([train.close(), validation.close()]);
    };
    if (train.classes.join('\n') !== validation.classes.join('\n')) {
      await validation.close();
      throw new TrainerError(
        'bad_data',
        `Training has the classes ${train.classes.join(', ')}, validation ${validation.classes.join(', ')}`,
        { hint: 'Give both the same folders.' },
      );
    }
    return { train, validation, close };
  } catch (error) {
    await train.close();
    throw error;
  }
}
