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
