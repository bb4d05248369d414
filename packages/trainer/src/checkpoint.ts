import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { TrainerError } from './errors.js';
import type { ModelState, Sequential } from './model.js';
import type { BuiltLayer } from './network.js';
import { openSealed, writeSealed } from './sealed-file.js';

/* A checkpoint is a sealed file whose arrays are each weight followed by its slots. */
/** The newest, and the one before in case the newest is damaged. */
const KEPT = 2;

const word = z.number().int().min(0).max(0xffffffff);
const positionSchema = z.object({
  epoch: z.number().int().min(0),
  step: z.number().int().min(0),
  totals: z.object({ loss: z.number(), correct: z.number(), n: z.number() }),
  history: z.array(z.record(z.string(), z.number())),
  batchSize: z.number().int(),
  stepsPerEpoch: z.number().int(),
  /** The batch source's own state. */
  train: z.unknown(),
});
const headerSchema = positionSchema.extend({
  /** Every weight as `conv2d/kernel 3×3×3×32`: the network the checkpoint is of. */
  network: z.array(z.string()),
  slots: z.number().int().min(0),
  optimizer: z.string(),
  steps: z.number().int().min(0),
  rng: z.tuple([word, word, word, word]),
});

/** Where a training stands, whole. */
export type Checkpoint = z.infer<typeof positionSchema> & { model: ModelState };

function describe(network: readonly BuiltLayer[]): string[] {
  return network.flatMap(({ name, specs }) => specs.map((s) => `${name}/${s.name} ${s.shape.join('×')}`));
}

/**
 * Writes `checkpoint-EPOCH-STEP` under `dir` (to a temporary name, then renamed) and drops all but the two newest.
 * @throws TrainerError 'output_full', 'bad_checkpoint' where it can't be written; those before it stay.
 */
export async function writeCheckpoint(dir: string, model: Sequential, checkpoint: Checkpoint): Promise<void> {
  const { model: state, ...position } = checkpoint;
  const header = {
    ...position,
    network: describe(model.network),
    slots: model.optimizer.slots,
    optimizer: model.optimizer.name,
    steps: state.steps,
    rng: state.rng,
  } satisfies z.infer<typeof headerSchema>;
  const arrays = state.weights.flatMap((layer, i) =>
    layer.flatMap((weight, w) => [weight, ...state.slots[i]![w]!]),
  );
  const digits = (n: number, width: number) => String(n).padStart(width, '0');
  const file = path.join(dir, `checkpoint-${digits(checkpoint.epoch, 5)}-${digits(checkpoint.step, 7)}`);
  try {
    await writeSealed(file, header, arrays);
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new TrainerError(
      full ? 'output_full' : 'bad_checkpoint',
      `The checkpoint ${file} can't be written: ${(cause as Error).message}`,
      { cause, hint: 'The one before it is whole. Make room, then go on from it with --resume.' },
    );
  }
  for (const old of (await names(dir)).slice(KEPT)) await rm(path.join(dir, old), { force: true });
}

/**
 * The newest whole checkpoint of `dir`; undefined where there is none. Damaged ones are passed over with a word.
 * @throws TrainerError 'bad_checkpoint' where it is of another network or optimizer.
 */
export async function readLatestCheckpoint(
  dir: string,
  model: Sequential,
  log: (text: string) => void,
): Promise<Checkpoint | undefined> {
  for (const name of await names(dir)) {
    const found = decode(await readFile(path.join(dir, name)), model, dir);
    if (found) return found;
    log(`The checkpoint ${name} is damaged (cut while it was written?): using the one before it.`);
  }
  return undefined;
}

/** Drops all checkpoints of `dir`. */
export async function removeCheckpoints(dir: string): Promise<void> {
  for (const name of await names(dir)) await rm(path.join(dir, name), { force: true });
}

/** Newest first. */
async function names(dir: string): Promise<string[]> {
  const all = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return all
    .filter((name) => name.startsWith('checkpoint-'))
    .sort()
    .reverse();
}

function decode(file: Buffer, model: Sequential, dir: string): Checkpoint | undefined {
  const opened = openSealed(file);
  if (!opened) return undefined;
  const header = headerSchema.parse(opened.header);
  const { network, slots: slotCount, optimizer, steps, rng, ...position } = header;
  const here = describe(model.network);
  if (network.join() !== here.join() || optimizer !== model.optimizer.name) {
    throw new TrainerError(
      'bad_checkpoint',
      `The checkpoints in ${dir} are of another network or optimizer`,
      {
        hint: 'Train with the options they were made with, or into another folder, or with --no-resume.',
      },
    );
  }
  const { take } = opened;
  const weights: Float32Array[][] = [];
  const slots: Float32Array[][][] = [];
  for (const { specs } of model.network) {
    const layer = specs.map((spec) => ({
      weight: take(spec.initial.length),
      slots: Array.from({ length: spec.moving ? 0 : slotCount }, () => take(spec.initial.length)),
    }));
    weights.push(layer.map((one) => one.weight));
    slots.push(layer.map((one) => one.slots));
  }
  return { ...position, model: { steps, rng, weights, slots } };
}
