import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { figure } from './report.js';
import { accuracies } from './trainer/accuracies.js';
import { type Curve, curvesPicture } from './trainer/curves-picture.js';
import { env, kerasScript, peer, photos, python, tfjsNode, train } from './trainer/peers.js';

// The tutorial's 30 epochs by `train` and by its Python script, and `train`'s deeper network: their validation
// accuracies in one picture, docs/images/trainer-curves.svg. It takes half an hour on two cores, which it wants alone.
// MYCLOUD_BENCH_EPOCHS: fewer epochs, to try it; then the picture is written to the temporary folder.
// MYCLOUD_BENCH_SEED: of `train`; with 1 its first batch throws the tutorial's network onto a plateau for some epochs.
const fewer = process.env.MYCLOUD_BENCH_EPOCHS;
const seed = process.env.MYCLOUD_BENCH_SEED ?? '12';
const picture = fewer ? os.tmpdir() : path.join(import.meta.dirname, '../docs/images');

if (!photos || !existsSync(tfjsNode) || !existsSync(python)) {
  process.stderr.write(
    `curves: it wants photographs (MYCLOUD_BENCH_PHOTOS), ${tfjsNode} and ${python} (.ci/run makes them)\n`,
  );
  process.exit(2);
}

const output = mkdtempSync(path.join(os.tmpdir(), 'mycloud-curves-'));
const runEnv = { ...env, MYCLOUD_INPUT: photos, MYCLOUD_OUTPUT: output };

interface Training {
  figures: string;
  command: string;
  args: string[];
  /** Seconds that Keras takes for as much. */
  peerSeconds?: number;
}

/** Trains, and prints what came of it. */
async function curve(name: string, { figures, command, args, peerSeconds }: Training) {
  const { values, seconds } = await accuracies({ command, args, env: runEnv });
  const beside = peerSeconds === undefined ? undefined : { name: peer, value: peerSeconds };
  figure('curves', `${figures}_best_val_acc`, Math.max(...values), 'share');
  figure('curves', `${figures}_s`, seconds, 's', beside);
  return { seconds, curve: { name, values } satisfies Curve };
}

/** How long the deeper network would take in Keras, seconds: an epoch as long as the third is. */
async function kerasDeepSeconds(epochs: number): Promise<number> {
  const script = path.join(import.meta.dirname, 'trainer/keras_deep.py');
  const run = (count: number) =>
    accuracies({ command: python, args: [script, '--epochs', String(count)], env: runEnv });
  const two = await run(2);
  const four = await run(4);
  return ((four.seconds - two.seconds) / 2) * epochs;
}

const ours = (model: string, epochs: string) => [
  train,
  ...['--model', model, '--epochs', fewer ?? epochs, '--seed', seed, '--histogram-freq', '0', '--no-resume'],
];
try {
  const keras = await curve(`${peer}, the Python script`, {
    figures: 'keras_tutorial',
    command: python,
    args: [kerasScript, '--epochs', fewer ?? '30'],
  });
  const tutorial = await curve('train', {
    figures: 'tutorial',
    command: process.execPath,
    args: ours('tutorial', '30'),
    peerSeconds: keras.seconds,
  });
  const deep = await curve('train --model deep', {
    figures: 'deep',
    command: process.execPath,
    args: ours('deep', '60'),
    peerSeconds: await kerasDeepSeconds(Number(fewer ?? 60)),
  });
  const curves = [keras.curve, tutorial.curve, deep.curve];
  const file = path.join(picture, 'trainer-curves.svg');
  writeFileSync(file, curvesPicture(curves));
  process.stderr.write(`The picture: ${file}\n`);
} finally {
  rmSync(output, { recursive: true, force: true });
}
