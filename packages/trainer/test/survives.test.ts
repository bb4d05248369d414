import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLatestCheckpoint, writeCheckpoint } from '../src/checkpoint.js';
import { drawDataset } from '../src/draw/index.js';
import { chooseBackend, rmsprop } from '../src/index.js';
import { readWeights } from '../src/weights/hdf5.js';
import { metrics, runTrain, startTrain } from './command.js';
import { smallModel } from './support.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'survives-'));
  await drawDataset(path.join(dir, 'pictures'), { train: 48, val: 8, size: 32 });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('killed -9 in epoch 7 of 10 and started again, it ends with the weights of a run that was never killed', {
  timeout: 240_000,
}, async () => {
  // No seed is given to the second attempt but by the checkpoint, as in a job that is tried again.
  const args = [
    '--image-size',
    '32',
    '--batch-size',
    '8',
    '--epochs',
    '10',
    '--threads',
    '2',
    '--backend',
    'wasm',
  ];
  const env = (output: string, attempt: string) => ({
    MYCLOUD_INPUT: path.join(dir, 'pictures'),
    MYCLOUD_OUTPUT: path.join(dir, output),
    MYCLOUD_ATTEMPT: attempt,
  });
  const whole = await runTrain([...args, '--seed', '5'], env('whole', '1'));
  expect(whole.err).toBe('');

  const killed = startTrain([...args, '--seed', '5'], env('killed', '1'));
  await new Promise<void>((resolve) => {
    let seen = '';
    killed.child.stdout!.on('data', (chunk: Buffer) => {
      seen += chunk;
      // Epochs count from 0 there: six are over, and a step of the seventh is drawn.
      if (/Epoch 7\/10 \[=*\.*\] [1-6]\/6/.test(seen)) resolve();
    });
  });
  killed.child.kill('SIGKILL');
  await killed.code;
  expect(metrics(await killed.out).at(-1)!.epoch).toBe(5);

  const second = await runTrain(args, env('killed', '2'));
  expect(second.err).toBe('');
  expect(second.out).toMatch(/Going on from the checkpoint at (epoch 7|step \d of epoch 7)\./);
  // The numbers and not the files: HDF5 notes when its parts were made.
  const [ours, theirs] = [path.join(dir, 'killed', 'weights.hdf5'), path.join(dir, 'whole', 'weights.hdf5')];
  expect(await readWeights(ours)).toEqual(await readWeights(theirs));
  expect(metrics(second.out).slice(-4)).toEqual(metrics(whole.out).slice(-4));
});

/** A folder that holds 1 MiB; undefined where it may not be made. */
function smallDisk(): { at: string; unmount(): void } | undefined {
  const at = execFileSync('mktemp', ['-d', path.join(dir, 'disk-XXXX')], { encoding: 'utf8' }).trim();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at], { stdio: 'pipe' });
  } catch (error) {
    if (process.env.MYCLOUD_TEST_STRICT === '1') throw error;
    return undefined;
  }
  return { at, unmount: () => execFileSync('umount', [at]) };
}

test('a full disk is said, and the checkpoint before stays whole', async ({ skip }) => {
  const disk = smallDisk();
  if (!disk) return skip('mounting a tmpfs is not permitted here');
  try {
    const model = smallModel();
    model.compile({
      loss: 'binary_crossentropy',
      optimizer: rmsprop(),
      backend: await chooseBackend('wasm', { threads: 1 }),
    });
    const state = await model.state();
    const at = (step: number, filler: number) => ({
      epoch: 3,
      step,
      totals: { loss: 0, correct: 0, n: 0 },
      // What fills the file is no matter.
      history: [],
      batchSize: 8,
      stepsPerEpoch: 10,
      train: 'x'.repeat(filler),
      model: state,
    });
    await writeCheckpoint(disk.at, model, at(1, 600_000));
    await expect(writeCheckpoint(disk.at, model, at(2, 600_000))).rejects.toMatchObject({
      code: 'output_full',
      message: expect.stringMatching(/checkpoint.*ENOSPC/),
    });
    expect(await readdir(disk.at)).toEqual(['checkpoint-00003-0000001']);
    const found = await readLatestCheckpoint(disk.at, model, () => undefined);
    expect(found).toEqual(at(1, 600_000));
  } finally {
    disk.unmount();
  }
});
