import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cliProgram, startServer } from '../test/support/server.js';
import { figure, median } from './report.js';

const starts = 21;
const runs = 15;

/** From the start of the program to its end, ms. */
async function took(act: () => unknown): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

async function medianOf(times: number, act: (i: number) => unknown): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await took(() => act(i)));
  return median(all);
}

const version = await medianOf(starts, () => spawnSync(process.execPath, [cliProgram, 'version']));
const node = await medianOf(starts, () => spawnSync(process.execPath, ['-e', '0']));
figure('cli', 'version_ms', version, 'ms', { name: 'node -e 0', value: node });

const server = await startServer({
  args: ['--runner', 'process'],
  env: { MYCLOUD_WORKER_MACHINES: 'cpu' },
});
try {
  const cwd = await server.project('bench', { 'train.py': 'print("hello")\n' });
  const run = async () => {
    // A machine that no worker offers: what is measured is the asking, not the jobs beside it.
    const { code, stderr } = await server.cli(['run', '--machine', 'gpu2', 'python train.py'], { cwd });
    if (code !== 0) throw new Error(stderr);
  };
  await run();
  figure('cli', 'run_ms', await medianOf(runs, run), 'ms');
  const edited = await medianOf(runs, async (i) => {
    await writeFile(path.join(cwd, 'train.py'), `print("hello ${i}")\n`);
    await run();
  });
  figure('cli', 'run_changed_ms', edited, 'ms');
  figure('cli', 'status_ms', await medianOf(runs, () => server.cli(['status'], { cwd })), 'ms');
} finally {
  await server.remove();
}
