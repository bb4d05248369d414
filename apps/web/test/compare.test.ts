import { bestOf, betterWay, commandParts, type Job } from '@mycloud/shared/browser';
import { describe, expect, it } from 'vitest';
import { compareAddress, readJobs } from '../src/compare/address.js';
import { axisOf, inRange } from '../src/compare/axes.js';
import { compareRows, differs } from '../src/compare/rows.js';
import { lineDiff, textOf } from '../src/diff/text-diff.js';
import { restartCommand } from '../src/job/command.js';
import { ordered, readColumns, writeColumns } from '../src/jobs/columns.js';
import { changeOf, fieldsOf } from '../src/restart/form-state.js';

const job = (number: number, more: Partial<Job> = {}): Job => ({
  id: `id-${number}`,
  name: `lab/projects/cats/${number}`,
  owner: 'lab',
  project: 'cats',
  number,
  status: 'succeeded',
  reason: 'exit_zero',
  message: 'finished',
  command: 'train',
  description: '',
  tags: [],
  note: '',
  machine: 'cpu',
  environment: 'default',
  envNames: [],
  mode: 'command',
  idleSeconds: null,
  tensorboard: false,
  maxRuntimeSeconds: null,
  retries: 0,
  mounts: [],
  codeSnapshotId: 'code',
  outputSnapshotId: null,
  attempt: 1,
  exitCode: 0,
  schedule: null,
  worker: 'w',
  createdAt: '2026-11-25T10:00:00.000Z',
  startedAt: '2026-11-25T10:00:01.000Z',
  finishedAt: '2026-11-25T10:00:11.000Z',
  metrics: {},
  revision: 'r',
  ...more,
});

describe('a command', () => {
  const parts = (command: string) => {
    const { program, flags } = commandParts(command);
    return [program, Object.fromEntries(flags)];
  };
  it('is split into what runs and its flags, however they are written', () => {
    expect(
      parts(`python train.py --lr 0.1 --epochs=5 --gpu -b -3 --name "it's \\"x\\"" model.depth=2`),
    ).toEqual([
      'python train.py',
      { '--lr': '0.1', '--epochs': '5', '--gpu': 'on', '-b': '-3', '--name': `it's "x"`, 'model.depth': '2' },
    ]);
    expect(parts('train --layer 3 --layer 4')).toEqual(['train', { '--layer': '3, 4' }]);
  });

  it('of several stays whole, and so does one with a quote that never closes', () => {
    for (const command of ['pip install x && python a.py --lr 1', 'cat a | wc -l', `echo 'open --lr 1`])
      expect(parts(command)).toEqual([command, {}]);
  });
});

describe('compared jobs', () => {
  const rowsOf = (...jobs: Job[]) =>
    compareRows({ jobs, extremes: [], codeHash: (id) => `hash of ${id}`, now: 0 });
  const titles = (...jobs: Job[]) =>
    rowsOf(...jobs)
      .filter(differs)
      .map((row) => row.title);

  it('show only what they don’t share', () => {
    expect(titles(job(1), job(1))).toEqual([]);
    expect(
      titles(
        job(1, { command: 'train --lr 0.1', envNames: ['SEED'], metrics: { val_acc: 0.5 } }),
        job(1, { command: 'train --lr 0.2 --wide', machine: 'gpu', metrics: { val_acc: 0.6 } }),
      ),
    ).toEqual(['--lr', '--wide', 'machine', '$SEED', 'val_acc, last']);
  });

  it('mark the best, whichever way a metric is better, and none where nothing tells', () => {
    const rows = rowsOf(
      job(1, { metrics: { acc: 0.5, val_loss: 0.2, steps: 7 } }),
      job(2, { metrics: { acc: 0.7, val_loss: 0.3, steps: 9 } }),
    );
    const best = Object.fromEntries(rows.map((row) => [row.title, row.best]));
    expect([best['acc, last'], best['val_loss, last'], best.steps]).toEqual([[1], [0], undefined]);
    expect([betterWay('mean_iou'), betterWay('perplexity'), betterWay('lr')]).toEqual([
      'high',
      'low',
      undefined,
    ]);
    expect(bestOf([1, 1], 'high')).toEqual([]);
  });

  it('are read from the address, each once, and what names no job is left out', () => {
    const names = ['lab/projects/cats/1', 'eve/projects/dogs/22'];
    const jobs = new URLSearchParams(compareAddress(names).split('?')[1]).get('jobs') ?? '';
    expect(readJobs(`${jobs},lab/projects/cats/1,nonsense,lab/projects/cats/0`)).toEqual([
      { owner: 'lab', project: 'cats', number: 1 },
      { owner: 'eve', project: 'dogs', number: 22 },
    ]);
  });

  it('stand on axes by size, by its logarithm where they lie far apart, or by word', () => {
    expect(axisOf('n', ['1', undefined, '3', '2'])).toMatchObject({
      kind: 'number',
      places: [0, undefined, 1, 0.5],
    });
    expect(axisOf('lr', ['0.001', '0.1', '0.01'])).toMatchObject({ kind: 'log' });
    expect(axisOf('lr', ['0.001', '0.1', '0.01']).places[2]).toBeCloseTo(0.5);
    expect(axisOf('m', ['gpu', 'cpu', 'gpu'])).toMatchObject({ kind: 'word', places: [1, 0, 1] });
    expect(axisOf('same', ['4', '4']).places).toEqual([0.5, 0.5]);
    expect([inRange(0.5, [0.2, 0.5]), inRange(undefined, [0, 1]), inRange(undefined, undefined)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

it('two texts differ by lines with their numbers; what is no text is told apart', () => {
  const lines = lineDiff('a\nb\nc\n', 'a\nB\nc\nd\n');
  expect(lines?.map(({ kind, text, before, after }) => [kind, text, before, after])).toEqual([
    ['gap', 'from line 1', undefined, undefined],
    ['same', 'a', 1, 1],
    ['removed', 'b', 2, undefined],
    ['added', 'B', undefined, 2],
    ['same', 'c', 3, 3],
    ['added', 'd', undefined, 4],
  ]);
  expect(lineDiff('same\n', 'same\n')).toEqual([]);
  expect(textOf(new Uint8Array([104, 105]))).toBe('hi');
  expect(textOf(new Uint8Array([104, 0]))).toBeUndefined();
  expect(textOf(new Uint8Array([0xff, 0xfe]))).toBeUndefined();
});

it('columns keep their order in the address, whatever the metrics are called', () => {
  const columns = ordered(['made', 'metric:a,b %', 'tags', 'metric:val_acc', 'nonsense']);
  expect(columns).toEqual(['tags', 'metric:val_acc', 'metric:a,b %', 'made']);
  expect(readColumns(writeColumns(columns))).toEqual(columns);
  expect([readColumns(null), readColumns('none'), readColumns('%')]).toEqual([undefined, [], []]);
});

describe('the form that runs a job again', () => {
  const old = job(3, {
    command: 'train --lr 0.1',
    envNames: ['API_KEY', 'SEED'],
    tags: ['sweep'],
    mounts: [{ name: 'input', source: 'lab/datasets/d/1', snapshotId: 's' }],
  });
  const fields = fieldsOf(old);

  it('asks for nothing else until something is changed, and says so as a command', () => {
    expect(changeOf(old, fields)).toEqual({ change: {}, wrong: [] });
    expect(restartCommand(old, {})).toBe('mycloud restart lab/projects/cats/3');
    const { change } = changeOf(old, {
      ...fields,
      command: `echo "it's"`,
      maxRuntime: '90m',
      machine: 'gpu',
      tags: 'sweep, best',
      kept: ['SEED'],
      variables: [{ name: 'TOKEN', value: 'hunter2' }],
      mounts: [],
    });
    expect(change).toEqual({
      command: `echo "it's"`,
      maxRuntimeSeconds: 5400,
      machine: 'gpu',
      tags: ['sweep', 'best'],
      mounts: [],
      env: { API_KEY: null, TOKEN: 'hunter2' },
    });
    expect(restartCommand(old, change)).toBe(
      `mycloud restart lab/projects/cats/3 --no-data --gpu --drop-var API_KEY --var TOKEN --max-runtime 90m ` +
        `--tag sweep --tag best 'echo "it'\\''s"'`,
    );
  });

  it('says what makes no sense, before it is sent', () => {
    const { wrong } = changeOf(old, {
      ...fields,
      command: ' ',
      maxRuntime: 'soon',
      retries: '-1',
      variables: [{ name: 'A-B', value: '' }],
      mounts: [{ source: 'd', name: '' }],
    });
    expect(wrong).toHaveLength(5);
  });
});
