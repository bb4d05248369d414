import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bfloat16Refusal, cpuInfo } from '../packages/trainer/src/backends/precision.js';
import { imageDataGenerator } from '../packages/trainer/src/index.js';
import { figure, median } from './report.js';
import { timeEpochs } from './trainer/epochs.js';
import { env, kerasScript, peer, photos, python, tfjsNode, train } from './trainer/peers.js';
import { type Stepper, startStepper } from './trainer/stepper.js';

// The trainer beside Keras 2.15 on the same libtensorflow with two threads and oneDNN (trainer/peers.ts). Where
// MYCLOUD_BENCH_PHOTOS names photographs, what reads pictures too.
const hasKeras = existsSync(python);
const here = (file: string) => path.join(import.meta.dirname, 'trainer', file);
const stepper = (backend: string, precision: string, threads = 1) =>
  startStepper(process.execPath, [here('step.mjs'), backend, precision, String(threads)], env);

const BATCH = 32;
const beside = (value: number | undefined) => (value ? { name: peer, value } : { missing: peer });

/** Images a second of each, in turns, so that whatever else the machine does meets all alike: the median round. */
async function rates(steppers: Record<string, Stepper>, rounds: number, steps: number) {
  const seen: Record<string, number[]> = {};
  for (const one of Object.values(steppers)) await one.round(3);
  for (let i = 0; i < rounds; i++) {
    for (const [name, one] of Object.entries(steppers)) {
      seen[name] = [...(seen[name] ?? []), (steps * BATCH) / (await one.round(steps))];
    }
  }
  return Object.fromEntries(Object.entries(seen).map(([name, all]) => [name, median(all)]));
}

async function steps(): Promise<void> {
  if (!existsSync(tfjsNode)) {
    process.stderr.write(`No step on TensorFlow: there is no ${tfjsNode} (.ci/run makes it)\n`);
    return;
  }
  const bf16 = bfloat16Refusal(await cpuInfo()) === undefined;
  const all: Record<string, Stepper> = { graph: await stepper('tensorflow', 'f32') };
  if (bf16) all.bf16 = await stepper('tensorflow', 'bf16');
  if (hasKeras) all.keras = await startStepper(python, [here('keras_step.py')], env);
  try {
    const { graph, bf16: half, keras } = await rates(all, 7, 12);
    figure('trainer', 'step_images_s', graph!, 'images/s', beside(keras));
    if (half) figure('trainer', 'step_bf16_images_s', half, 'images/s', beside(keras));
    figure('trainer', 'step_memory_mb', all.graph!.peakMemory(), 'MiB', beside(all.keras?.peakMemory()));
  } finally {
    for (const one of Object.values(all)) await one.close();
  }
}

async function wasm(): Promise<void> {
  const all = { one: await stepper('wasm', 'f32'), two: await stepper('wasm', 'f32', 2) };
  try {
    const { one, two } = await rates(all, 3, 2);
    figure('trainer', 'wasm_images_s_core', one!, 'images/s');
    figure('trainer', 'wasm_parallel_ratio', two! / one!, 'times');
  } finally {
    for (const stepper of Object.values(all)) await stepper.close();
  }
}

/** The tutorial's script in Python as it is written, and `train` with the same numbers, three epochs each, in turns. */
async function epochs(data: string): Promise<void> {
  const output = mkdtempSync(path.join(os.tmpdir(), 'mycloud-bench-'));
  const runEnv = { ...env, MYCLOUD_INPUT: data, MYCLOUD_OUTPUT: output };
  const flags = ['--epochs', '3', '--logdir', '/output/Graph'];
  const programs = {
    ours: {
      command: process.execPath,
      args: [train, ...flags, '--histogram-freq', '0'],
      env: runEnv,
      firstStep: /\] \d+\/\d+ \d+ images/,
      epochEnd: /images\/s\)/,
    },
    keras: {
      command: python,
      args: [kerasScript, ...flags],
      env: runEnv,
      firstStep: /\d+\/62 \[/,
      epochEnd: /val_accuracy/,
    },
  };
  try {
    const seen = { ours: [] as number[], keras: [] as number[] };
    const firsts: number[] = [];
    for (let i = 0; i < 2; i++) {
      const run = await timeEpochs(programs.ours);
      firsts.push(run.firstStep);
      seen.ours.push(...run.epochs);
      if (hasKeras) seen.keras.push(...(await timeEpochs(programs.keras)).epochs);
    }
    figure('trainer', 'epoch_s', median(seen.ours), 's', beside(hasKeras ? median(seen.keras) : undefined));
    figure('trainer', 'first_step_s', median(firsts), 's');
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

/** Augmented batches with nothing behind them, on two threads: the epochs after the first, which decodes. */
async function pipeline(data: string): Promise<void> {
  const source = await imageDataGenerator({
    rescale: 1 / 255,
    shearRange: 0.2,
    zoomRange: 0.2,
    horizontalFlip: true,
  }).flowFromDirectory(path.join(data, 'train'), {
    targetSize: [150, 150],
    batchSize: BATCH,
    classMode: 'binary',
    workers: 2,
    seed: 1,
  });
  try {
    const epoch = async () => {
      const begin = performance.now();
      for (let i = 0; i < source.steps; i++) (await source.next()).release();
      return source.samples / ((performance.now() - begin) / 1000);
    };
    await epoch();
    figure('trainer', 'pipeline_images_s', median([await epoch(), await epoch(), await epoch()]), 'images/s');
  } finally {
    await source.close();
  }
}

await steps();
await wasm();
if (photos) {
  await epochs(photos);
  await pipeline(photos);
} else {
  process.stderr.write(
    'epoch_s, first_step_s, pipeline_images_s: MYCLOUD_BENCH_PHOTOS names no photographs\n',
  );
}
