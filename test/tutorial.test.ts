import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { logRoutes, metricRoutes } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.remove());

describe('the tutorial, as a person types it', () => {
  let project: string;

  it('uploads the pictures, and finds nothing new the second time', async () => {
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 48, val: 32, seed: 3 });
    const first = await server.json<{ name: string; files: number }>([
      'data',
      'upload',
      'dogsvscats',
      '--dir',
      pictures,
    ]);
    expect(first).toMatchObject({ name: expect.stringMatching(/\/datasets\/dogsvscats\/1$/), files: 80 });
    const again = await server.json<{ name: string }>(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    expect(again.name).toBe(first.name);
  });

  it('makes the project and trains on a worker until the log ends', async () => {
    project = path.join(server.folder, 'convnet');
    await mkdir(project);
    expect(await server.cli(['init', 'dogsvscats'], { cwd: project })).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await server.cli(
      [
        'run',
        '--data',
        'dogsvscats/1:input',
        '--gpu',
        '--tensorboard',
        '--follow',
        '--exit-status',
        'train --logdir /output/Graph --epochs 2 --image-size 40 --train-samples 48 --val-samples 32 --batch-size 16 --seed 1',
      ],
      { cwd: project },
    );
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/"metric":\s*"val_acc"/);
    expect(stdout + stderr).toMatch(/CPU/);
  });

  it('shows it succeeded, with its metrics', async () => {
    const { items } = await server.json<{
      items: { name: string; status: string; number: number; metrics: Record<string, number> }[];
    }>(['status'], { cwd: project });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ status: 'succeeded', number: 1 });
    expect(items[0]!.metrics).toMatchObject({ loss: expect.any(Number), val_acc: expect.any(Number) });

    const client = await server.client();
    const owner = items[0]!.name.split('/')[0]!;
    const params = { owner, project: 'dogsvscats', number: 1 };
    const { points } = await client.call(metricRoutes.series, { params, query: { name: 'val_loss' } });
    expect(points.map((point) => point.step)).toEqual([0, 1]);
    const { lines } = await client.call(logRoutes.range, { params, query: { after: '0.0', limit: 10_000 } });
    expect(lines.map((line) => line.seq)).toEqual(lines.map((_, i) => i + 1));
  });

  it('gives back the weights and the event files', async () => {
    const { code, stderr } = await server.cli(['output', '1', '-o', 'results'], { cwd: project });
    expect(code, stderr).toBe(0);
    const results = path.join(project, 'results');
    const files = await readdir(results, { recursive: true });
    expect(files.some((file) => /^Graph\/.*tfevents/.test(file))).toBe(true);
    const weights = files.find((file) => file.endsWith('.hdf5') && !file.includes('/'));
    expect(weights).toBeDefined();
    expect((await stat(path.join(results, weights!))).size).toBeGreaterThan(10_000);
    expect((await readFile(path.join(results, weights!))).subarray(1, 4).toString()).toBe('HDF');
  });
});
