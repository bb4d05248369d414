import type { Job } from '@mycloud/shared/browser';
import { describe, expect, it } from 'vitest';
import { groupSeries } from '../src/charts/groups.js';
import { smooth } from '../src/charts/smooth.js';
import { parseCsv } from '../src/files/csv.js';
import { runAgain } from '../src/job/command.js';

describe('charts', () => {
  it('put training and validation of a kind together, however they are named', () => {
    const charts = groupSeries([
      'loss',
      'val_loss',
      'lr',
      'Graph/train/epoch_loss',
      'Graph/validation/epoch_loss',
      'system/cpu',
    ]);
    expect(
      charts.map(({ section, title, series }) => [section, title, series.map((one) => one.role)]),
    ).toEqual([
      ['Metrics', 'loss', ['train', 'validation']],
      ['Metrics', 'lr', ['train']],
      ['Graph', 'epoch_loss', ['train', 'validation']],
      ['System', 'CPU (%)', ['CPU']],
    ]);
  });

  it('smooth without a pull towards nothing at the start, and leave gaps open', () => {
    expect(smooth([5, 5, null, 5], 0.9).map((value) => value && Math.round(value * 1e9) / 1e9)).toEqual([
      5,
      5,
      null,
      5,
    ]);
    expect(smooth([1, 3], 0.5)[1]).toBeCloseTo((1 * 0.25 + 3 * 0.5) / 0.75, 12);
    expect(smooth([1, 2, 3], 0)).toEqual([1, 2, 3]);
  });
});

it('a table keeps separators, quotes and line breaks inside quoted cells', () => {
  expect(parseCsv('a,b\r\n"x, ""y""\nz",2\n\n3', ',', 10)).toEqual([['a', 'b'], ['x, "y"\nz', '2'], ['3']]);
  expect(parseCsv('1\n2\n3\n', ',', 2)).toEqual([['1'], ['2']]);
});

it('the command that runs a job again is quoted for a shell', () => {
  const job = {
    mode: 'command',
    command: `python train.py --name "it's"`,
    mounts: [{ name: 'input', source: 'lab/datasets/d/1', snapshotId: '' }],
    machine: 'gpu',
    environment: 'keras-2.15',
    tensorboard: true,
    maxRuntimeSeconds: 60,
    retries: 0,
    description: '',
    tags: ['best'],
    envNames: ['SEED'],
  } as unknown as Job;
  expect(runAgain(job)).toBe(
    `mycloud run --data lab/datasets/d/1:input --gpu --env keras-2.15 --var SEED --tensorboard --max-runtime 1m --tag best 'python train.py --name "it'\\''s"'`,
  );
});
