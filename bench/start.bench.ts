import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { jobRoutes, logRoutes, projectRoutes, readEvents } from '@mycloud/shared';
import { descendants } from '../test/support/processes.js';
import { startServer } from '../test/support/server.js';
import { figure, median } from './report.js';

/** Proportional set size of a process and all below it, MiB (Linux). */
const treeMemory = (root: number): number =>
  [root, ...descendants(root, /^/)]
    .map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    .reduce((total, rollup) => total + Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024, 0);

// A fresh clone, npm's cache warm: the demo from nothing to its weights.
const clone = mkdtempSync(path.join(os.tmpdir(), 'mycloud-clone-'));
try {
  execFileSync('git', ['clone', '-q', process.cwd(), clone]);
  const from = performance.now();
  const { status } = spawnSync('npm', ['run', 'demo', '--', '--exit', '--port', '0'], {
    cwd: clone,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HOME: clone, npm_config_cache: path.join(os.homedir(), '.npm') },
  });
  if (status !== 0) throw new Error(`the demo exited with ${status}`);
  figure('start', 'demo_s', (performance.now() - from) / 1000, 's');
} finally {
  rmSync(clone, { recursive: true, force: true });
}

const server = await startServer({ args: ['--runner', 'process'] });
try {
  const first = await server.client();
  const { owner } = await first.call(projectRoutes.create, { body: { name: 'bench' } });
  const delays: number[] = [];
  for (let i = 0; i < 3; i++) {
    await server.stop();
    const from = performance.now();
    await server.restart();
    const client = await server.client();
    const job = await client.call(jobRoutes.create, {
      params: { owner, project: 'bench' },
      body: { command: 'echo hello' },
    });
    const response = await client.open(logRoutes.stream, {
      params: { owner, project: 'bench', number: job.number },
    });
    for await (const event of readEvents(response)) {
      if (event.event === 'lines' && event.data.includes('"hello"')) break;
    }
    delays.push((performance.now() - from) / 1000);
  }
  figure('start', 'cold_first_log_s', median(delays), 's');
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  figure('start', 'idle_memory_mb', treeMemory(server.pid), 'MiB');
} finally {
  await server.remove();
}
