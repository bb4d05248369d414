import type { BatchSource } from '../src/index.js';
import { activation, conv2d, dense, dropout, flatten, maxPooling2d, sequential } from '../src/index.js';
import { Rng } from '../src/rng.js';

export const SIZE = 12;

/** Batches of bright and dark noise without end: what tells the classes apart is the brightness of the left half. */
export function brightAndDark({
  samples = 32,
  batchSize = 8,
  seed = 1,
} = {}): BatchSource & { taken: number } {
  return {
    samples,
    batchSize,
    taken: 0,
    async next() {
      const rng = new Rng(seed * 1000 + this.taken++);
      const y = Float32Array.from({ length: batchSize }, () => Math.round(rng.uniform()));
      const pixels = SIZE * SIZE * 3;
      const x = Float32Array.from({ length: batchSize * pixels }, (_, i) => {
        const left = Math.floor(i / 3) % SIZE < SIZE / 2;
        return rng.uniform() * 0.6 + (left && y[Math.floor(i / pixels)] === 1 ? 0.4 : 0);
      });
      return { x, y, n: batchSize, shape: [batchSize, SIZE, SIZE, 3] };
    },
    state() {
      return this.taken;
    },
    restore(state) {
      this.taken = state as number;
    },
  };
}

/** A network of the tutorial's kinds of layers, small enough to train in a test. */
export function smallModel({ seed = 1 } = {}) {
  return sequential(
    [
      conv2d({ filters: 4, kernelSize: 3, inputShape: [SIZE, SIZE, 3] }),
      activation('relu'),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 8 }),
      activation('relu'),
      dropout(0.5),
      dense({ units: 1 }),
      activation('sigmoid'),
    ],
    { seed },
  );
}
