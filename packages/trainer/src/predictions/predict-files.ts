import path from 'node:path';
import { decodeInto } from '../images/decode.js';
import { DecodingRoom } from '../images/decoding-room.js';
import type { Skipped } from '../images/scan.js';
import type { Sequential } from '../model.js';

/** What a model says of one picture. */
export interface Prediction {
  file: string;
  /** A class's name. */
  predicted: string;
  /** Of the predicted class. */
  probability: number;
  /** The class's folder the picture lies in; undefined where it lies in none. */
  actual: string | undefined;
}

interface PredictFilesOptions {
  classes: string[];
  targetSize: [height: number, width: number];
  batchSize: number;
  /** Turns RGB in 0…255 into the model's input. */
  prepare: (x: Float32Array) => Float32Array;
  signal: AbortSignal;
}

/** The class and its probability, from a sigmoid's one value (of the second class) or a softmax's. */
export function answer(values: Float32Array, classes: string[]): { predicted: string; probability: number } {
  const all = values.length === 1 ? [1 - values[0]!, values[0]!] : [...values];
  const best = all.indexOf(Math.max(...all));
  return { predicted: classes[best]!, probability: all[best]! };
}

/** Predicts pictures in the order given; those that can't be decoded are left out and named. */
export async function predictFiles(
  model: Sequential,
  files: string[],
  { classes, targetSize: [height, width], batchSize, prepare, signal }: PredictFilesOptions,
): Promise<{ predictions: Prediction[]; skipped: Skipped[] }> {
  const size = height * width * 3;
  const predictions: Prediction[] = [];
  const skipped: Skipped[] = [];
  const room = new DecodingRoom();
  for (let from = 0; from < files.length && !signal.aborted; from += batchSize) {
    const pictures: { file: string; pixels: Uint8Array }[] = [];
    for (const file of files.slice(from, from + batchSize)) {
      const pixels = new Uint8Array(size);
      try {
        await decodeInto(file, height, width, pixels, room);
        pictures.push({ file, pixels });
      } catch (error) {
        skipped.push({ path: file, reason: (error as Error).message });
      }
    }
    if (pictures.length === 0) continue;
    const x = new Float32Array(pictures.length * size);
    for (const [i, { pixels }] of pictures.entries()) x.set(pixels, i * size);
    const n = pictures.length;
    const values = await model.predict({ x: prepare(x), n, shape: [n, height, width, 3] });
    const units = values.length / n;
    for (const [i, { file }] of pictures.entries()) {
      const folder = path.basename(path.dirname(file));
      const actual = classes.includes(folder) ? folder : undefined;
      predictions.push({ file, ...answer(values.subarray(i * units, (i + 1) * units), classes), actual });
    }
  }
  return { predictions, skipped };
}
