// The trainer's side of the bench of a training step, as keras_step.py is Keras's: for each number read from stdin,
// takes that many steps of the tutorial's network and prints the seconds they took. argv: backend, precision, threads (of
// WebAssembly; 1). It runs
// what the build wrote, as `train` does: tsx would count in the memory.
import { createInterface } from 'node:readline';
import { chooseBackend } from '../../packages/trainer/dist/backends/choose.js';
import { compiledModel, recipes } from '../../packages/trainer/dist/models/index.js';

const [backend, precision, threads = '1'] = process.argv.slice(2);
const { layers, defaults } = recipes.tutorial;
const model = compiledModel(
  layers({ imageSize: 150, units: 1, activation: 'sigmoid', dropout: defaults.dropout }),
  {
    ...defaults,
    totalSteps: 1,
    seed: 1,
    backend: await chooseBackend(backend, { precision, threads: Number(threads) }),
  },
);
const engine = await model.engine();
const n = 32;
const x = new Float32Array(n * 150 * 150 * 3);
for (let i = 0; i < x.length; i++) x[i] = Math.random();
const batch = { x, y: Float32Array.from({ length: n }, (_, i) => i % 2), n, shape: [n, 150, 150, 3] };
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const begin = performance.now();
  for (let i = 0; i < Number(line); i++) await engine.trainStep(batch);
  process.stdout.write(`${(performance.now() - begin) / 1000}\n`);
}
