import { z } from 'zod';
import type { Engine } from '../engines/engine.js';
import { TrainerError } from '../errors.js';
import { keyedRandom, permutation } from '../images/random.js';
import type { BatchSource } from '../loop.js';

/** What a frozen network made of pictures: n values of `shape` each, and the pictures' labels. */
export interface Features {
  x: Float32Array;
  y: Float32Array;
  n: number;
  shape: number[];
}

/**
 * Runs every picture of `source` (one epoch of it) through `base` once. `prepare` turns pixels into the base's input.
 * Undefined when the signal came before the end.
 */
export async function computeFeatures(
  base: Engine,
  source: BatchSource & { steps: number },
  shape: number[],
  {
    prepare,
    signal,
    onProgress,
  }: {
    prepare: (x: Float32Array) => Float32Array;
    signal: AbortSignal;
    onProgress: (done: number, total: number) => void;
  },
): Promise<Features | undefined> {
  const size = shape.reduce((a, b) => a * b, 1);
  const x = new Float32Array(source.samples * size);
  const answers: Float32Array[] = [];
  let n = 0;
  for (let step = 0; step < source.steps; step++) {
    if (signal.aborted) return undefined;
    const batch = await source.next();
    x.set(await base.predict({ ...batch, x: prepare(batch.x) }), n * size);
    batch.release?.();
    answers.push(batch.y);
    n += batch.n;
    onProgress(n, source.samples);
  }
  const y = new Float32Array(answers.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of answers) {
    y.set(part, at);
    at += part.length;
  }
  return { x, y, n, shape };
}

const stateSchema = z.object({ taken: z.number().int().min(0), order: z.number().int().optional() });

/** Batches of features without end, in a new order each epoch where `seed` is given. */
export function featureSource({ x, y, n, shape }: Features, batchSize: number, seed?: number): BatchSource {
  let order = seed;
  const size = x.length / n;
  const units = y.length / n;
  const steps = Math.ceil(n / batchSize);
  let taken = 0;
  return {
    samples: n,
    batchSize,
    async next() {
      const [epoch, batch] = [Math.floor(taken / steps), taken % steps];
      taken++;
      const of =
        order === undefined
          ? Uint32Array.from({ length: n }, (_, i) => i)
          : permutation(n, keyedRandom(order, epoch));
      const chosen = of.subarray(batch * batchSize, (batch + 1) * batchSize);
      const out = {
        x: new Float32Array(chosen.length * size),
        y: new Float32Array(chosen.length * units),
        n: chosen.length,
        shape: [chosen.length, ...shape],
      };
      for (const [i, sample] of chosen.entries()) {
        out.x.set(x.subarray(sample * size, (sample + 1) * size), i * size);
        out.y.set(y.subarray(sample * units, (sample + 1) * units), i * units);
      }
      return out;
    },
    state: () => ({ taken, order }),
    restore(state) {
      const parsed = stateSchema.safeParse(state);
      if (!parsed.success) {
        throw new TrainerError('bad_checkpoint', 'The checkpoint is of another way of training', {
          hint: 'Begin anew with --no-resume.',
        });
      }
      ({ taken, order } = parsed.data);
    },
  };
}
