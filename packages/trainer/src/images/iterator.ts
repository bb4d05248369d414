import { z } from 'zod';
import { TrainerError } from '../errors.js';
import type { LoaderSetup } from './jobs.js';
import { createPool } from './pool.js';
import { keyedRandom, permutation } from './random.js';
import type { Scan, Skipped } from './scan.js';

export type ClassMode = 'binary' | 'categorical';

interface ImageBatch {
  /** n × height × width × 3, channels last; until it is released. */
  x: Float32Array;
  /** binary: n zeros and ones; categorical: n × classes, one-hot. */
  y: Float32Array<ArrayBuffer>;
  n: number;
  shape: [n: number, height: number, width: number, channels: number];
  /** Gives the memory of x to a later batch; one that isn't released keeps it. */
  release(): void;
}

/** Goes through a folder's pictures for ever, epoch after epoch; the last batch of an epoch may be smaller. */
export interface DirectoryIterator {
  readonly samples: number;
  /** Sorted by name; a label is a class's place here. */
  readonly classes: string[];
  readonly counts: Record<string, number>;
  /** Pictures that could not be read, with the reason; grows when one fails to decode (it is then replaced). */
  readonly skipped: readonly Skipped[];
  /** The pictures' files, in the order of their classes and names. */
  readonly files: string[];
  /** How many pictures note a camera's turn (EXIF), which is ignored as in Keras. */
  readonly turned: number;
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly steps: number;
  next(): Promise<ImageBatch>;
  /** Where the iterator is, as plain JSON: the batches to come are the same after `restore`. */
  state(): unknown;
  restore(state: unknown): void;
  close(): Promise<void>;
}

const stateSchema = z.object({
  samples: z.number().int(),
  seed: z.number().int(),
  epoch: z.number().int().min(0),
  batch: z.number().int().min(0),
});

interface IteratorOptions {
  scan: Scan;
  setup: LoaderSetup;
  seed: number;
  batchSize: number;
  classMode: ClassMode;
  shuffle: boolean;
  workers: number;
}

const AHEAD = 3;
/** Keeps the draw of the order apart from the draws of the pictures, whose third key is their index. */
const ORDER = 2 ** 32;

export function createIterator(options: IteratorOptions): DirectoryIterator {
  const { scan, setup, batchSize, classMode, workers } = options;
  const { height, width } = setup;
  const total = scan.samples.length;
  const steps = Math.ceil(total / batchSize);
  const pool = createPool(workers, setup);
  const skipped = [...scan.skipped];
  const known = new Set(skipped.map((s) => s.path));

  /** A checkpoint brings its own. */
  let { seed } = options;
  /** Of the batch that `next` gives next. */
  let cursor = { epoch: 0, batch: 0 };
  let planned = cursor;
  let ahead: ReturnType<typeof pool.load>[] = [];
  let order: { seed: number; epoch: number; of: Uint32Array } | undefined;

  function orderOf(epoch: number): Uint32Array {
    if (order?.epoch !== epoch || order.seed !== seed) {
      const random = keyedRandom(seed, epoch, ORDER);
      const of = options.shuffle
        ? permutation(total, random)
        : Uint32Array.from({ length: total }, (_, i) => i);
      order = { seed, epoch, of };
    }
    return order.of;
  }

  const after = ({ epoch, batch }: typeof cursor) =>
    batch + 1 < steps ? { epoch, batch: batch + 1 } : { epoch: epoch + 1, batch: 0 };

  function plan(): void {
    while (ahead.length < AHEAD + workers - 1) {
      const { epoch, batch } = planned;
      const samples = orderOf(epoch).slice(batch * batchSize, (batch + 1) * batchSize);
      const made = pool.load({ seed, epoch, samples });
      made.catch(() => undefined); // told by next(), when it comes to this batch
      ahead.push(made);
      planned = after(planned);
    }
  }

  function labels(of: Uint32Array): Float32Array<ArrayBuffer> {
    if (classMode === 'binary') return Float32Array.from(of);
    const y = new Float32Array(of.length * scan.classes.length);
    for (const [i, label] of of.entries()) y[i * scan.classes.length + label] = 1;
    return y;
  }

  return {
    samples: total,
    classes: scan.classes,
    counts: Object.fromEntries(
      scan.classes.map((name, label) => [name, scan.samples.filter((s) => s.label === label).length]),
    ),
    skipped,
    files: scan.samples.map((sample) => sample.path),
    turned: scan.turned,
    batchSize,
    steps,
    async next() {
      plan();
      const batch = await pool.hold(ahead.shift()!);
      cursor = after(cursor);
      plan();
      for (const one of batch.skipped) {
        if (!known.has(one.path)) skipped.push(one);
        known.add(one.path);
      }
      const n = batch.labels.length;
      const { x, release } = batch;
      return { x, y: labels(batch.labels), n, shape: [n, height, width, 3], release };
    },
    state: () => ({ samples: total, seed, ...cursor }),
    restore(state) {
      const parsed = stateSchema.safeParse(state);
      if (!parsed.success || parsed.data.samples !== total || parsed.data.batch >= steps) {
        throw new TrainerError(
          'bad_checkpoint',
          "The checkpoint's place in the pictures doesn't fit this folder.",
          {
            hint: 'Continue with the same pictures and --batch-size, or start without the checkpoint.',
          },
        );
      }
      seed = parsed.data.seed;
      cursor = { epoch: parsed.data.epoch, batch: parsed.data.batch };
      planned = cursor;
      for (const batch of ahead)
        batch.then(
          ({ release }) => release(),
          () => undefined,
        );
      ahead = [];
    },
    close: () => pool.close(),
  };
}
