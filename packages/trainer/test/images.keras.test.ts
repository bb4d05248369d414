import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nearestIndex } from '../src/images/decode.js';
import type { FillMode } from '../src/images/options.js';
import { resample } from '../src/images/resample.js';
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

describe('pictures are transformed as Keras transforms them', () => {
  test.each(golden.transforms)('$height×$width, $mode, $transform', (one) => {
    const out = new Float32Array(one.picture.length);
    const affine = affineOf(
      { ...one.transform, flipHorizontal: false, flipVertical: false },
      one.height,
      one.width,
    );
    resample(
      Uint8Array.from(one.picture),
      one.height,
      one.width,
      affine,
      { mode: one.mode, cval: 7 },
      out,
      0,
    );
    const furthest = Math.max(...out.map((value, i) => Math.abs(value - one.expected[i]!)));
    expect(furthest).toBeLessThan(1e-3);
  });

  test.each(golden.resizes)('$from pixels become $to as PIL resizes by nearest', ({ from, to, index }) => {
    expect([...nearestIndex(from, to)]).toEqual(index);
  });
});
