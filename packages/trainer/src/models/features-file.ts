import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { TrainerError } from '../errors.js';
import { openSealed, writeSealed } from '../sealed-file.js';
import type { Features } from './features.js';

const headerSchema = z.object({
  key: z.string(),
  n: z.number().int(),
  shape: z.array(z.number().int()),
  sizes: z.tuple([z.number().int(), z.number().int()]),
});

/** What features depend on: the base's weights, the pictures' classes, names and order, their size in pixels. */
export function featuresKey(weights: Float32Array[][], files: string[], size: number): string {
  const hash = createHash('sha256').update(`${size}\n`);
  // Not the whole path: another attempt may have the pictures elsewhere.
  for (const file of files) hash.update(`${file.split(path.sep).slice(-2).join('/')}\n`);
  for (const weight of weights.flat()) hash.update(weight);
  return hash.digest('hex');
}

/** @throws TrainerError 'output_full' where there is no room for them. */
export async function writeFeatures(file: string, key: string, features: Features): Promise<void> {
  const { x, y, n, shape } = features;
  try {
    await writeSealed(file, { key, n, shape, sizes: [x.length, y.length] }, [x, y]);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
    throw new TrainerError('output_full', `The features ${file} can't be written`, {
      cause,
      hint: 'Make room in the output folder.',
    });
  }
}

/** What was written under this key; undefined where there is none, or it is damaged, or of something else. */
export async function readFeatures(file: string, key: string): Promise<Features | undefined> {
  const found = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const opened = found && openSealed(found);
  if (!opened) return undefined;
  const { n, shape, sizes, ...header } = headerSchema.parse(opened.header);
  return header.key === key ? { x: opened.take(sizes[0]), y: opened.take(sizes[1]), n, shape } : undefined;
}
