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
const fewer = process.env.MYCLOUD_BENCH_EPOCHS;
const picture = fewer ? os.tmpdir() : path.join(import.meta.dirname, '../docs/images');

if (!photos || !existsSync(tfjsNode) || !existsSync(python)) {
  process.stderr.write(
    `curves: it wants photographs (MYCLOUD_BENCH_PHOTOS), ${tfjsNode} and ${python} (.ci/run makes them)\n`,
  );
  process.exit(2);
}

const output = mkdtempSync(path.join(os.tmpdir(), 'mycloud-curves-'));
const runEnv = { ...env, MYCLOUD_INPUT: photos, MYCLOUD_OUTPUT: output };

/** Trains, and prints what came of it. */
async function curve(name: string, figureName: string, command: string, args: string[]): Promise<Curve> {
  const { values, seconds } = await accuracies({ command, args, env: runEnv });
  figure('curves', `${figureName}_best_val_acc`, Math.max(...values), 'share');
  figure('curves', `${figureName}_s`, seconds, 's');
  return { name, values };
}

const ours = (model: string, epochs: string) => [
  train,
  ...['--model', model, '--epochs', fewer ?? epochs, '--seed', '1', '--histogram-freq', '0', '--no-resume'],
];
try {
  const curves = [
    await curve(`${peer}, the Python script`, 'keras_tutorial', python, [
      kerasScript,
      ...['--epochs', fewer ?? '30'],
    ]),
    await curve('train', 'tutorial', process.execPath, ours('tutorial', '30')),
    await curve('train --model deep', 'deep', process.execPath, ours('deep', '60')),
  ];
  const file = path.join(picture, 'trainer-curves.svg');
  writeFileSync(file, curvesPicture(curves));
  process.stderr.write(`The picture: ${file}\n`);
} finally {
  rmSync(output, { recursive: true, force: true });
}
