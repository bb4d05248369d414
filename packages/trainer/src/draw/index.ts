import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TrainerError } from '../errors.js';
import { photograph } from './camera.js';
import { drawCat } from './cat.js';
import { drawDog } from './dog.js';
import { createPen } from './pen.js';
import { drawScene } from './scene.js';

export interface DrawOptions {
  /** Pictures in train/, half of them cats. */
  train: number;
  /** Pictures in val/, half of them cats. */
  val: number;
  /** Side in pixels; 160 when not given. */
  size?: number;
  /** The same seed draws the same pictures; 1 when not given. */
  seed?: number;
}

const AT_ONCE = 4;
const animals = [
  { folder: 'cats', name: 'cat', draw: drawCat },
  { folder: 'dogs', name: 'dog', draw: drawDog },
];

function whole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new TrainerError('bad_option', `${name} is ${value}: it must be a whole number from ${least} up.`);
}

/**
 * Draws cats and dogs into `dir`/train/{cats,dogs} and `dir`/val/{cats,dogs} as cat.0.jpg …; the pictures are
 * this program's own, free of anyone's licence. Files of these names are replaced.
 * `onProgress` is told after each picture how many of how many are drawn.
 */
export async function drawDataset(
  dir: string,
  options: DrawOptions,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const { size = 160, seed = 1 } = options;
  whole('train', options.train, 2);
  whole('val', options.val, 2);
  whole('size', size, 16);
  const plans = (['train', 'val'] as const).flatMap((split, s) =>
    animals.flatMap((animal, a) => {
      const count = a === 0 ? Math.ceil(options[split] / 2) : Math.floor(options[split] / 2);
      const folder = path.join(dir, split, animal.folder);
      return Array.from({ length: count }, (_, i) => ({
        file: path.join(folder, `${animal.name}.${i}.jpg`),
        animal,
        key: [seed, s, a, i],
      }));
    }),
  );
  for (const folder of new Set(plans.map((plan) => path.dirname(plan.file)))) {
    await mkdir(folder, { recursive: true });
  }
  let next = 0;
  let done = 0;
  async function draw(): Promise<void> {
    for (let plan = plans[next++]; plan !== undefined; plan = plans[next++]) {
      const pen = createPen(...plan.key);
      const svg = drawScene(pen, plan.animal.draw(pen), size);
      await writeFile(plan.file, await photograph(pen, svg));
      done += 1;
      onProgress?.(done, plans.length);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, draw));
}
