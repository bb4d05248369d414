import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createEventReader,
  createEventWriter,
  decodePictures,
  encodeGraph,
  findEventFiles,
  streamRecords,
} from '../src/index.js';

const python = process.env.MYCLOUD_TEST_TENSORBOARD_PYTHON;
if (python === undefined && process.env.MYCLOUD_TEST_STRICT === '1') {
  throw new Error('MYCLOUD_TEST_TENSORBOARD_PYTHON must name a Python with tensorboard');
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mycloud-tensorboard-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function run(script: string): string {
  const file = fileURLToPath(new URL(`./${script}`, import.meta.url));
  return execFileSync(python!, [file, dir], { encoding: 'utf8' });
}

const PNG =
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082';

describe.skipIf(python === undefined)('TensorBoard itself', { timeout: 120_000 }, () => {
  test('reads our scalars, histograms, images and graph', async () => {
    const writer = createEventWriter(dir);
    writer.graph(
      encodeGraph([
        { name: 'input', op: 'Placeholder', inputs: [], attrs: { shape: { shape: [-1, 150, 150, 3] } } },
        { name: 'conv2d/Conv2D', op: 'Conv2D', inputs: ['input'], attrs: { T: { type: 'float32' } } },
      ]),
    );
    writer.scalar('val_acc', 0.75, 9, 1234.5);
    writer.scalar('val_acc', 0.5, 10, 1235.5);
    writer.histogram('weights', Float32Array.of(-1, 0, 0.5, 1, Number.NaN), 3);
    writer.histogram('same', Float32Array.of(2, 2), 3);
    writer.histogram('empty', new Float32Array(0), 3);
    writer.image('first', Buffer.from(PNG, 'hex'), 1, 1, 3, 4);
    await writer.close();
    expect(JSON.parse(run('read_by_tensorboard.py'))).toEqual({
      scalars: {
        val_acc: [
          [9, 0.75, 1234.5],
          [10, 0.5, 1235.5],
        ],
      },
      histograms: { weights: [[3, 4, 0.5, 4]], same: [[3, 2, 4, 2]], empty: [[3, 0, 0, 0]] },
      images: { first: [[4, 1, 1, PNG]] },
      nodes: [
        ['input', 'Placeholder', [], ['shape']],
        ['conv2d/Conv2D', 'Conv2D', ['input'], ['T']],
      ],
      sizes: [-1, 150, 150, 3],
    });
  });

  test('writes scalars as TF2 does, and we read them, and nothing that is no curve', async () => {
    run('written_by_tensorboard.py');
    const [file] = await findEventFiles(dir);
    const records = await createEventReader(file!).read();
    const met = records.flatMap((r) => r.scalars.map((s) => [s.tag, r.step, Math.fround(s.value)]));
    expect(met).toEqual([
      ['epoch_loss', 0, 0.5],
      ['epoch_loss', 1, 0.25],
      ['epoch_loss', 2, Math.fround(0.5 / 3)],
      ['float_val', 3, 0.25],
      ['double', 4, -1.5],
      ['int64', 5, -300],
      ['zero', 6, 0],
    ]);
  });

  test('writes images and histograms as TF2 does, and we find them where they lie', async () => {
    run('written_by_tensorboard.py');
    const [file] = await findEventFiles(dir);
    const problems: string[] = [];
    const found: unknown[] = [];
    for await (const { data } of streamRecords(createReadStream(file!), (text) => problems.push(text))) {
      const { images, histograms } = decodePictures(data);
      for (const { tag, width, height, start, length } of images)
        found.push([tag, width, height, Buffer.from(data.subarray(start, start + length)).toString()]);
      for (const { tag, buckets } of histograms) found.push([tag, buckets]);
    }
    expect(problems).toEqual([]);
    expect(found).toEqual([
      ['picture', 2, 3, 'the bytes'],
      [
        'spread',
        [
          [0, 0.5, 2],
          [1, 1.5, 1],
        ],
      ],
    ]);
  });
});
