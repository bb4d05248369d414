import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Job, metricRoutes } from '@mycloud/shared';
import { findEventFiles } from '@mycloud/tfevents';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kerasPythons } from '../packages/trainer/test/kerases.js';
import { startServer, type TestServer } from './support/server.js';

const python = kerasPythons['Keras 2.15'];

/** The Python of Keras 2.15 that is here already, as an environment of the server's own. */
const environments = [{ name: 'keras-2.15', description: 'the one of this machine', python }];

describe.runIf(python)("the tutorial's Python script, unchanged", { timeout: 300_000 }, () => {
  let server: TestServer;
  let project: string;
  let job: Job;
  beforeAll(async () => {
    server = await startServer({ env: { MYCLOUD_ENVIRONMENTS: JSON.stringify(environments) } });
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 64, val: 32, seed: 3 });
    await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    project = await server.project('convnet');
  });
  afterAll(() => server?.remove());

  it('runs by the tutorial’s command, in the environment that FloydHub called keras', async () => {
    expect(await server.cli(['init', 'convnet', '--template', 'dogsvscats'], { cwd: project })).toMatchObject(
      {
        code: 0,
      },
    );
    const { code, stdout, stderr } = await server.cli(
      [
        'run',
        ...['--data', 'dogsvscats/1:input', '--gpu', '--tensorboard', '--env', 'keras'],
        ...['--follow', '--exit-status', 'python very_little_data.py --logdir /output/Graph --epochs 1'],
      ],
      { cwd: project },
    );
    expect(code, stdout + stderr).toBe(0);
    expect(stderr).toMatch(/keras of FloydHub is keras-2\.15 here/);
    expect(stdout).toMatch(/\[mycloud\] keras of FloydHub is keras-2\.15 here/);
    expect(stdout).toMatch(/Found 64 images belonging to 2 classes/);
    job = await server.json<Job>(['info', '1'], { cwd: project });
    expect(job).toMatchObject({ status: 'succeeded', environment: 'keras-2.15' });
  });

  it('has the numbers that Keras printed as metrics, each once, and those of its event files', async () => {
    const client = await server.client();
    const params = { owner: job.owner, project: job.project, number: job.number };
    const series = async (name: string) =>
      (await client.call(metricRoutes.series, { params, query: { name } })).points;
    for (const name of ['loss', 'acc', 'val_loss', 'val_acc']) {
      expect(await series(name), name).toEqual([
        expect.objectContaining({ step: 0, value: expect.any(Number) }),
      ]);
    }
    const [loss] = await series('loss');
    const [told] = await series('Graph/train/epoch_loss');
    expect(loss?.value).toBeCloseTo(told?.value ?? Number.NaN, 3);
  });

  it('gives back event files for TensorBoard, and weights that load in Keras and in our trainer', async () => {
    const { code, stderr } = await server.cli(['output', '1', '-o', 'results'], { cwd: project });
    expect(code, stderr).toBe(0);
    const results = path.join(project, 'results');
    const events = await findEventFiles(path.join(results, 'Graph'));
    const folders = events.map((file) => path.basename(path.dirname(file))).sort();
    expect(folders).toEqual(['train', 'validation']);
    const weights = path.join(results, 'weights.hdf5');
    expect((await readFile(weights)).subarray(1, 4).toString()).toBe('HDF');
    const said = execFileSync(python!, ['-c', loading, weights], { encoding: 'utf8', env: quiet });
    expect(said.trim()).toBe('5 layers with weights');
    const command = [
      'W=/model/weights.hdf5; [ -e $W ] || W=model/weights.hdf5;',
      'train --load-weights $W --epochs 1 --steps-per-epoch 1 --batch-size 8 --val-samples 8',
    ].join(' ');
    const data = ['--data', 'dogsvscats/1:input', '--data', `${job.name}/output:model`];
    const ours = await server.cli(['run', ...data, '--follow', '--exit-status', command], { cwd: project });
    expect(ours.code, ours.stdout + ours.stderr).toBe(0);
    expect(ours.stdout).toMatch(/"metric":\s*"val_acc"/);
  });
});

const quiet = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' };

/** The network of the tutorial, with the weights of a file. */
const loading = `
import sys
from keras import Sequential
from keras.layers import *
m = Sequential()
for filters, more in ((32, {"input_shape": (150, 150, 3)}), (32, {}), (64, {})):
    m.add(Conv2D(filters, (3, 3), **more)); m.add(Activation("relu")); m.add(MaxPooling2D())
m.add(Flatten()); m.add(Dense(64)); m.add(Activation("relu")); m.add(Dropout(0.5)); m.add(Dense(1))
m.load_weights(sys.argv[1])
print(sum(1 for layer in m.layers if layer.weights), "layers with weights")
`;
