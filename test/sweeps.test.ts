import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

/** Prints a metric that is best in its middle, of its arguments. */
const train = `
const [, , lr, size] = process.argv;
for (const [epoch, share] of [0.5, 1, 0.8].entries())
  console.log(JSON.stringify({ metric: 'val_acc', value: share * (Number(lr) * 100 + Number(size) / 100), epoch }));
console.log(process.env.lr, process.env.seed);
`;

interface Sweep {
  sweep: string;
  metric: string;
  rows: { job: Job; values: Record<string, string>; best: number; last: number }[];
}

let server: TestServer;
let cwd: string;
beforeAll(async () => {
  server = await startServer({ args: ['--runner', 'process'] });
  cwd = await server.project('cats', { 'train.mjs': train });
});
afterAll(() => server?.remove());

describe('a sweep', () => {
  let id: string;

  it('is a job for each combination, with one upload, the values in its command and its environment', async () => {
    const { code, stdout, stderr } = await server.cli(
      [
        'run',
        ...['--sweep', 'lr=0.001,0.003', '--sweep', 'size=16,32', '--sweep', 'seed=1', '--tag', 'first'],
        ...['-f', 'node train.mjs {lr} {size} {other}'],
      ],
      { cwd },
    );
    expect(code, stderr).toBe(0);
    expect(stderr.match(/Uploading/g)).toHaveLength(1);
    expect(stderr).toMatch(/\{seed\} is not in the command: it is only the environment variable seed/);
    expect(stderr).not.toMatch(/\{lr\} is not/);
    expect(stdout).toMatch(/cats\/1 +cpu +node train\.mjs 0\.001 16 \{other\}$/m);
    // As it stands when all have ended, the best first.
    expect(stdout).toMatch(
      /JOB +STATUS +TIME +lr +size +seed +BEST val_acc +LAST\n4 +succeeded .* 0\.003 +32 +1 +0\.62 +0\.496\n/,
    );
    expect(stdout).toMatch(/4 of 4 jobs ended/);
    id = /mycloud sweep (\w+) -f/.exec(stderr)![1]!;
    const logs = (await server.cli(['logs', '1'], { cwd })).stdout;
    expect(logs).toMatch(/^0\.001 1$/m);
  });

  it('is found by its name, ordered by the best or the last value of a metric', async () => {
    const result = await server.json<Sweep>(['sweep', id], { cwd });
    expect(result.metric).toBe('val_acc');
    expect(result.rows.map(({ job }) => job.number)).toEqual([4, 3, 2, 1]);
    expect(result.rows[0]).toMatchObject({ values: { lr: '0.003', size: '32', seed: '1' }, best: 0.62 });
    expect(result.rows[0]!.job.tags).toEqual(['first', `sweep-${id}`, 'lr=0.003', 'size=32', 'seed=1']);
    expect(new Set(result.rows.map(({ job }) => job.codeSnapshotId)).size).toBe(1);
    const byLast = await server.json<Sweep>(['sweep', id, '--by', 'last'], { cwd });
    expect(byLast.rows[0]!.last).toBeCloseTo(0.496);
    const list = await server.json<{ items: unknown[] }>(['sweep'], { cwd });
    expect(list.items).toEqual([
      {
        sweep: id,
        project: expect.stringMatching(/\/projects\/cats$/),
        jobs: 4,
        ended: 4,
        of: ['lr', 'size', 'seed'],
      },
    ]);
  });

  it('is stopped as a whole', async () => {
    const started = await server.json<{ sweep: string; jobs: Job[] }>(
      ['run', '--sweep', 'word=a,b,c', 'echo {word}; sleep 1000'],
      { cwd },
    );
    expect(started.jobs).toHaveLength(3);
    expect((await server.cli(['sweep', started.sweep, '--stop'], { cwd })).stdout).toMatch(
      /3 jobs of it are being stopped/,
    );
    const ended = await Promise.all(started.jobs.map((job) => server.ended(job)));
    expect(ended.map(({ status }) => status)).toEqual(['stopped', 'stopped', 'stopped']);
  });
});

describe('a sweep that can not be', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i).join(',');
  it.each([
    [['--sweep', 'lr'], /--sweep lr: write NAME=VALUE/],
    [['--sweep', 'l-r=1'], /write NAME=VALUE/],
    [['--sweep', 'lr=1,,2'], /a value is missing/],
    [['--sweep', 'lr=1,2,1'], /1 is there twice/],
    [['--sweep', 'lr=1', '--sweep', 'lr=2'], /--sweep lr is given twice/],
    [['--sweep', 'lr=a b,c'], /"a b" is no word/],
    [
      ['--sweep', `a=${numbers(101)}`, '--sweep', `b=${numbers(100)}`],
      /this sweep is 10,100 jobs; at most 10,000/,
    ],
  ])('of wrong values says what is wrong', async (flags, says) => {
    const { code, stderr } = await server.cli(['run', ...flags, 'true'], { cwd });
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  it.each([
    ['51', [`a=${numbers(51)}`]],
    ['10,000', [`a=${numbers(100)}`, `b=${numbers(100)}`]],
  ])('of %s jobs is asked first', async (count, axes) => {
    const sweeps = axes.flatMap((axis) => ['--sweep', axis]);
    const { code, stderr } = await server.cli(['run', ...sweeps, 'true {a} $b'], { cwd });
    expect(stderr).toMatch(new RegExp(`This sweep is ${count} jobs\\. Submit them\\?.*\\n.*-y`));
    expect(code).toBe(1);
  });

  it('by a name that is none is told the nearest', async () => {
    const { code, stderr } = await server.cli(['sweep', 'nothing'], { cwd });
    expect(stderr).toMatch(/there is no sweep nothing in .*\/projects\/cats/);
    expect(code).toBe(1);
  });

  it('whose first job is refused submits none', async () => {
    const before = await server.json<{ items: Job[] }>(['status'], { cwd });
    const { stderr } = await server.cli(['run', '--env', 'kears', '--sweep', 'a=1,2', 'true {a}'], { cwd });
    expect(stderr).toMatch(/there is no environment "kears"/);
    const after = await server.json<{ items: Job[] }>(['status'], { cwd });
    expect(after.items).toHaveLength(before.items.length);
  });
});
