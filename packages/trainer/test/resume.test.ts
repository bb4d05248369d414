import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backupAndRestore, type Callback, chooseBackend, rmsprop } from '../src/index.js';
import { brightAndDark, smallModel } from './support.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'resume-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Attempt {
  seed?: number;
  callbacks?: Callback[];
  signal?: AbortSignal;
  resume?: boolean;
  batchSize?: number;
  said?: string[];
  everySeconds?: number;
  everySteps?: number;
}

async function attempt({
  seed = 1,
  callbacks = [],
  signal,
  resume,
  batchSize,
  said = [],
  everySeconds,
  everySteps,
}: Attempt = {}) {
  const model = smallModel({ seed });
  model.compile({
    loss: 'binary_crossentropy',
    optimizer: rmsprop({ learningRate: 0.01 }),
    backend: await chooseBackend('wasm'),
  });
  const history = await model.fit(brightAndDark({ batchSize }), {
    epochs: 4,
    validationData: brightAndDark({ seed: 2 }),
    verbose: 0,
    signal,
    callbacks: [
      backupAndRestore({ backupDir: dir, everySeconds, everySteps, resume, log: (text) => said.push(text) }),
      ...callbacks,
    ],
  });
  return { history, model };
}

/** A signal that comes while the given step of the given epoch runs. */
function signalAt(epoch: number, step: number): { callbacks: Callback[]; signal: AbortSignal } {
  const stop = new AbortController();
  const onTrainBatchEnd: Callback['onTrainBatchEnd'] = (run) => {
    if (run.epoch === epoch && run.step === step) stop.abort();
  };
  return { callbacks: [{ onTrainBatchEnd }], signal: stop.signal };
}

test('a training stopped in the middle of an epoch goes on to the numbers of one that was never stopped', async () => {
  const whole = await attempt({ resume: false });
  await rm(dir, { recursive: true });

  const first = await attempt(signalAt(2, 3));
  expect(first.history.interrupted).toBe(true);
  expect(first.history.epochs).toEqual(whole.history.epochs.slice(0, 2));

  // The second attempt draws other weights and dropout: the checkpoint holds both.
  const said: string[] = [];
  const second = await attempt({ seed: 99, said });
  expect(said).toEqual(['Going on from the checkpoint at step 3 of epoch 3.']);
  expect(second.history).toEqual(whole.history);
  expect(await second.model.layerWeights()).toEqual(await whole.model.layerWeights());
});

test('checkpoints are written within an epoch too: what crashes goes on from the step the last one holds', async () => {
  const whole = await attempt({ resume: false });
  await rm(dir, { recursive: true });
  const onTrainBatchEnd: Callback['onTrainBatchEnd'] = (run) => {
    if (run.epoch === 1 && run.step === 3) throw new Error('the machine is gone');
  };
  await expect(attempt({ everySeconds: 0, callbacks: [{ onTrainBatchEnd }] })).rejects.toThrow('is gone');
  const said: string[] = [];
  const second = await attempt({ seed: 99, said });
  expect(said).toEqual(['Going on from the checkpoint at step 3 of epoch 2.']);
  expect(second.history).toEqual(whole.history);
  expect(await second.model.layerWeights()).toEqual(await whole.model.layerWeights());
});

test('by steps, what crashes goes on from the last that was to be kept', async () => {
  const onTrainBatchEnd: Callback['onTrainBatchEnd'] = (run) => {
    if (run.epoch === 1 && run.step === 3) throw new Error('the machine is gone');
  };
  await expect(attempt({ everySteps: 2, callbacks: [{ onTrainBatchEnd }] })).rejects.toThrow('is gone');
  const said: string[] = [];
  await attempt({ said });
  expect(said).toEqual(['Going on from the checkpoint at step 2 of epoch 2.']);
});

test('a checkpoint that was cut is noticed, and the one before it is used', async () => {
  const whole = await attempt({ resume: false });
  const [before, newest] = (await readdir(dir)).sort();
  expect(before).toBe('checkpoint-00003-0000000');
  await truncate(path.join(dir, newest!), 5000);

  const said: string[] = [];
  const again = await attempt({ said });
  expect(said[0]).toContain(`${newest} is damaged`);
  expect(said[1]).toBe('Going on from the checkpoint at epoch 4.');
  expect(again.history).toEqual(whole.history);
});

test('what is begun anew drops an earlier training’s checkpoints once it has its own', async () => {
  await attempt();
  await attempt({ resume: false, ...signalAt(0, 1) });
  expect(await readdir(dir)).toEqual(['checkpoint-00000-0000001']);
});

test('a checkpoint of another batch size is refused', async () => {
  await attempt();
  await expect(attempt({ batchSize: 16 })).rejects.toMatchObject({
    code: 'bad_checkpoint',
    message: expect.stringContaining('4 steps of 8 pictures'),
  });
});
