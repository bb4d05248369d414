import { decodeInto } from './decode.js';
import { DecodingRoom } from './decoding-room.js';
import type { LoaderSetup } from './jobs.js';
import { keyedRandom } from './random.js';
import { createResampler } from './resample.js';
import type { Skipped } from './scan.js';
import { affineOf, drawTransform } from './transform.js';

/**
 * Makes batches: decode (or take from the cache), transform, flip, rescale; the order Keras does it in.
 * A picture that can't be decoded is replaced by the next of its class, so that a batch keeps its size and
 * the order of all others stays as it was.
 */
export function createLoader(setup: LoaderSetup) {
  const { samples, height, width, augmentation: how } = setup;
  const size = height * width * 3;
  const resample = createResampler(height, width);
  const values = { mode: how.fillMode, cval: how.cval, rescale: how.rescale };
  const flags = new Uint8Array(setup.flags);
  const pixels = new Uint8Array(setup.pixels);
  const broken = new Set<number>();
  const decoding = new DecodingRoom();

  async function decode(index: number): Promise<Uint8Array> {
    if (index >= flags.length) {
      const picture = new Uint8Array(size);
      await decodeInto(samples[index]!.path, height, width, picture, decoding);
      return picture;
    }
    const slot = pixels.subarray(index * size, (index + 1) * size);
    if (Atomics.load(flags, index) === 0) {
      // Two threads may decode the same picture at once: they write the same bytes.
      await decodeInto(samples[index]!.path, height, width, slot, decoding);
      Atomics.store(flags, index, 1);
    }
    return slot;
  }

  async function decodeOrReplace(index: number, skipped: Skipped[]): Promise<Uint8Array> {
    const { label } = samples[index]!;
    for (let step = 0; step < samples.length; step++) {
      const candidate = (index + step) % samples.length;
      if (broken.has(candidate) || samples[candidate]!.label !== label) continue;
      try {
        return await decode(candidate);
      } catch (error) {
        broken.add(candidate);
        skipped.push({ path: samples[candidate]!.path, reason: (error as Error).message });
      }
    }
    throw new Error(`no picture beside ${samples[index]!.path} can be decoded`);
  }

  /** Pictures n × height × width × 3 into `room`, and what had to be replaced, each named the first time only. */
  return async function load(seed: number, epoch: number, indexes: Uint32Array, room: SharedArrayBuffer) {
    const x = new Float32Array(room, 0, indexes.length * size);
    const skipped: Skipped[] = [];
    await Promise.all(
      Array.from(indexes, async (index, i) => {
        const picture = await decodeOrReplace(index, skipped);
        const draw = drawTransform(how, height, width, keyedRandom(seed, epoch, index));
        const { flipHorizontal, flipVertical } = draw;
        const flips = { flipHorizontal, flipVertical };
        const affine = affineOf(draw, height, width);
        resample(picture, { affine, ...flips, ...values }, x, i * size);
      }),
    );
    return { labels: Uint32Array.from(indexes, (index) => samples[index]!.label), skipped };
  };
}
