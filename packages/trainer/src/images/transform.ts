import type { Augmentation } from './options.js';
import type { Random } from './random.js';

/** One picture's draw. Angles in degrees, shifts in pixels (x is down, y to the right, as Keras names them). */
export interface Transform {
  theta: number;
  tx: number;
  ty: number;
  shear: number;
  zx: number;
  zy: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
}

/** Output (row, column) ↦ input (a·row + b·column + c, d·row + e·column + f). */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

type Matrix = [number, number, number, number, number, number];

function shift(range: number, length: number, random: Random): number {
  if (range === 0) return 0;
  if (range >= 1 && Number.isInteger(range)) {
    const pixels = Math.floor(random() * range);
    return random() < 0.5 ? -pixels : pixels;
  }
  const drawn = (random() * 2 - 1) * range;
  return range < 1 ? drawn * length : drawn;
}

/** Draws in the order of keras.preprocessing.image.ImageDataGenerator.get_random_transform. */
export function drawTransform(how: Augmentation, height: number, width: number, random: Random): Transform {
  const symmetric = (range: number) => (range === 0 ? 0 : (random() * 2 - 1) * range);
  const [low, high] = how.zoom;
  const zoom = () => (low === 1 && high === 1 ? 1 : low + random() * (high - low));
  return {
    theta: symmetric(how.rotation),
    tx: shift(how.heightShift, height, random),
    ty: shift(how.widthShift, width, random),
    shear: symmetric(how.shear),
    zx: zoom(),
    zy: zoom(),
    flipHorizontal: random() < 0.5 && how.horizontalFlip,
    flipVertical: random() < 0.5 && how.verticalFlip,
  };
}

function times(p: Matrix, q: Matrix): Matrix {
  const [a, b, c, d, e, f] = p;
  const [g, h, i, j, k, l] = q;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

/**
 * The matrix of keras.preprocessing.image.apply_affine_transform: rotation · shift · shear · zoom about the
 * picture's centre, rows and columns then exchanged. Undefined where nothing is to be done.
 */
export function affineOf(t: Transform, height: number, width: number): Affine | undefined {
  const rad = Math.PI / 180;
  let m: Matrix | undefined;
  const then = (next: Matrix) => {
    m = m === undefined ? next : times(m, next);
  };
  if (t.theta !== 0) {
    const [sin, cos] = [Math.sin(t.theta * rad), Math.cos(t.theta * rad)];
    then([cos, -sin, 0, sin, cos, 0]);
  }
  if (t.tx !== 0 || t.ty !== 0) then([1, 0, t.tx, 0, 1, t.ty]);
  if (t.shear !== 0) then([1, -Math.sin(t.shear * rad), 0, 0, Math.cos(t.shear * rad), 0]);
  if (t.zx !== 1 || t.zy !== 1) then([t.zx, 0, 0, 0, t.zy, 0]);
  if (m === undefined) return undefined;
  const [ox, oy] = [height / 2 - 0.5, width / 2 - 0.5];
  const [a, b, c, d, e, f] = times(times([1, 0, ox, 0, 1, oy], m), [1, 0, -ox, 0, 1, -oy]);
  return [e, d, f, b, a, c];
}
