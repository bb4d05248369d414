import { TrainerError } from '../errors.js';

export type FillMode = 'nearest' | 'constant' | 'reflect' | 'wrap';

/** What Keras's ImageDataGenerator takes, under its names. Angles are degrees. */
export interface GeneratorOptions {
  /** Multiplies every value after the transform: 1/255 gives [0, 1]. */
  rescale?: number;
  rotationRange?: number;
  /** Below 1: a fraction of the width; a whole number from 1: pixels, drawn from (−n, n). */
  widthShiftRange?: number;
  heightShiftRange?: number;
  /** Degrees, counter-clockwise (the tutorial's 0.2 is a fifth of a degree, as in Keras). */
  shearRange?: number;
  /** z draws from [1−z, 1+z] for each axis; a pair is the interval itself. */
  zoomRange?: number | [number, number];
  horizontalFlip?: boolean;
  verticalFlip?: boolean;
  /** What lies outside the picture, as in scipy.ndimage; 'nearest' when not given. */
  fillMode?: FillMode;
  /** The value outside the picture under fillMode 'constant', on the 0–255 scale. */
  cval?: number;
}

/** The same, complete: plain data that crosses to a worker thread. */
export interface Augmentation {
  rescale: number;
  rotation: number;
  widthShift: number;
  heightShift: number;
  shear: number;
  zoom: [number, number];
  horizontalFlip: boolean;
  verticalFlip: boolean;
  fillMode: FillMode;
  cval: number;
}

const fillModes: readonly string[] = ['nearest', 'constant', 'reflect', 'wrap'] satisfies FillMode[];

function range(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (Number.isFinite(value) && value >= 0) return value;
  throw new TrainerError('bad_option', `${name} is ${value}: it must be a number from 0 up.`);
}

function zoomInterval(zoom: number | [number, number] | undefined): [number, number] {
  const [low, high] = Array.isArray(zoom) ? zoom : [1 - (zoom ?? 0), 1 + (zoom ?? 0)];
  if (Number.isFinite(low) && Number.isFinite(high) && low > 0 && low <= high) return [low, high];
  throw new TrainerError(
    'bad_option',
    `zoomRange ${JSON.stringify(zoom)} is no interval of factors above 0.`,
    { hint: 'Give a number from 0 up to, not including, 1, or a pair such as [0.8, 1.2].' },
  );
}

/** Fills in the defaults and checks every number; throws TrainerError 'bad_option' naming the wrong one. */
export function augmentation(options: GeneratorOptions): Augmentation {
  const rescale = options.rescale ?? 1;
  const cval = options.cval ?? 0;
  const fillMode = options.fillMode ?? 'nearest';
  if (!Number.isFinite(rescale))
    throw new TrainerError('bad_option', `rescale is ${rescale}: give a number.`);
  if (!Number.isFinite(cval)) throw new TrainerError('bad_option', `cval is ${cval}: give a number.`);
  if (!fillModes.includes(fillMode)) {
    throw new TrainerError(
      'bad_option',
      `fillMode is "${fillMode}": it must be one of ${fillModes.join(', ')}.`,
    );
  }
  return {
    rescale,
    rotation: range('rotationRange', options.rotationRange),
    widthShift: range('widthShiftRange', options.widthShiftRange),
    heightShift: range('heightShiftRange', options.heightShiftRange),
    shear: range('shearRange', options.shearRange),
    zoom: zoomInterval(options.zoomRange),
    horizontalFlip: options.horizontalFlip ?? false,
    verticalFlip: options.verticalFlip ?? false,
    fillMode,
    cval,
  };
}
