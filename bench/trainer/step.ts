// The trainer's side of the bench of a training step, as bench/trainer/keras_step.py is Keras's: for each number read
// from stdin, takes that many steps of the tutorial's network and prints the seconds they took. argv: backend, precision.
import { createInterface } from 'node:readline';
import type { Precision } from '../../packages/trainer/src/backends/backend.js';
import { type BackendChoice, chooseBackend } from '../../packages/trainer/src/backends/choose.js';
import { tutorialModel } from '../../packages/trainer/src/tutorial.js';

const [backend, precision] = process.argv.slice(2) as [BackendChoice, Precision];
const model = tutorialModel({
  imageSize: 150,
  classes: 2,
  dropoutRate: 0.5,
  optimizer: 'rmsprop',
  learningRate: 0.001,
  seed: 1,
  backend: await chooseBackend(backend, { precision }),
});
const engine = await model.engine();
const n = 32;
const batch = {
  x: Float32Array.from({ length: n * 150 * 150 * 3 }, () => Math.random()),
  y: Float32Array.from({ length: n }, (_, i) => i % 2),
  n,
  shape: [n, 150, 150, 3],
};
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const begin = performance.now();
  for (let i = 0; i < Number(line); i++) await engine.trainStep(batch);
  process.stdout.write(`${(performance.now() - begin) / 1000}\n`);
}
