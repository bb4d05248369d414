import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nearestIndex } from '../src/images/decode.js';
import type { FillMode } from '../src/images/options.js';
import { createResampler, type Resample, resample } from '../src/images/resample.js';
import { affineOf, type Transform } from '../src/images/transform.js';

interface Golden {
  transforms: {
    height: number;
    width: number;
    transform: Omit<Transform, 'flipHorizontal' | 'flipVertical'>;
    mode: FillMode;
    picture: number[];
    expected: number[];
  }[];
  resizes: { from: number; to: number; index: number[] }[];
}

/** What Keras 2.15, scipy and PIL made of the same pictures (images.keras-transforms.py). */
const golden = JSON.parse(
  readFileSync(new URL('./images.keras-transforms.json', import.meta.url), 'utf8'),
) as Golden;

const ways: Record<string, (height: number, width: number) => Resample> = {
  'by vectors': createResampler,
  plainly:
    (height, width) =>
    (...of) =>
      resample(height, width, ...of),
};

describe.each(Object.entries(ways))('pictures are transformed %s as Keras transforms them', (_, of) => {
  test.each(golden.transforms)('$height×$width, $mode, $transform', (one) => {
    const out = new Float32Array(one.picture.length);
    const flips = { flipHorizontal: false, flipVertical: false };
    const affine = affineOf({ ...one.transform, ...flips }, one.height, one.width);
    const how = { affine, ...flips, mode: one.mode, cval: 7, rescale: 1 };
    of(one.height, one.width)(Uint8Array.from(one.picture), how, out, 0);
    const furthest = Math.max(...out.map((value, i) => Math.abs(value - one.expected[i]!)));
    expect(furthest).toBeLessThan(1e-3);
  });

  test.each(golden.resizes)('$from pixels become $to as PIL resizes by nearest', ({ from, to, index }) => {
    expect([...nearestIndex(from, to)]).toEqual(index);
  });
});

test.each([
  [true, false],
  [false, true],
  [true, true],
])(
  'mirrored (left to right: %s, top to bottom: %s) it is the mirror image, whichever way it was made',
  (h, v) => {
    const [height, width] = [5, 8];
    const picture = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) % 256);
    const neutral = { theta: 12, tx: 0.4, ty: -1.3, shear: 5, zx: 0.8, zy: 1.1 };
    const affine = affineOf({ ...neutral, flipHorizontal: false, flipVertical: false }, height, width);
    for (const moved of [affine, undefined]) {
      const made = Object.values(ways).map((of) => {
        const how = { affine: moved, mode: 'nearest' as const, cval: 0, rescale: 1 / 255 };
        const straight = new Float32Array(picture.length);
        const mirrored = new Float32Array(picture.length);
        const make = of(height, width);
        make(picture, { ...how, flipHorizontal: false, flipVertical: false }, straight, 0);
        make(picture, { ...how, flipHorizontal: h, flipVertical: v }, mirrored, 0);
        for (const [i, value] of mirrored.entries()) {
          const [row, column] = [Math.floor(i / (width * 3)), Math.floor(i / 3) % width];
          const from = (v ? height - 1 - row : row) * width + (h ? width - 1 - column : column);
          expect(value).toBeCloseTo(straight[from * 3 + (i % 3)]!, 5);
        }
        return straight;
      });
      const furthest = Math.max(...made[0]!.map((value, i) => Math.abs(value - made[1]![i]!)));
      expect(furthest).toBeLessThan(1e-5);
    }
  },
);
