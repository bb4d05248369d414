import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { TrainerError } from './errors.js';

/** What a model.json doesn't say: the classes' names in the order of the answers, and how pixels are given. */
const labelsSchema = z.object({
  classes: z.array(z.string()).min(2),
  /** `scaled`: RGB in 0…1. `vgg16`: BGR in 0…255, less ImageNet's mean. */
  input: z.enum(['scaled', 'vgg16']),
});
export type Labels = z.infer<typeof labelsSchema>;

/** A text that appears whole or not at all. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.part`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

export async function writeLabels(dir: string, labels: Labels): Promise<void> {
  await writeWhole(path.join(dir, 'labels.json'), `${JSON.stringify(labels, null, 2)}\n`);
}

/** @throws TrainerError 'bad_model' where the file is missing or wrong. */
export async function readLabels(dir: string): Promise<Labels> {
  const file = path.join(dir, 'labels.json');
  try {
    return labelsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new TrainerError(
      'bad_model',
      `The classes can't be read from ${file}: ${(cause as Error).message}`,
      {
        cause,
        hint: 'train writes it beside the weights: {"classes": ["cats", "dogs"], "input": "scaled"}.',
      },
    );
  }
}
