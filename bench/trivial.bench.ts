import { jobRoutes, projectRoutes } from '@mycloud/shared';
import { eventually, startServer } from '../test/support/server.js';
import { cpuUse, machineCpu, usedBetween } from './cpu-use.js';
import { figure } from './report.js';
import { trivialJobs } from './trivial-jobs.js';

/*
 * The trivial jobs of the bench `jobs` alone, with what each costs in CPU, by program: the same number at once, on a server
 * that has run a few jobs one after another.
 */

const count = 300;
const rounds = 3;
const before = 40;

const server = await startServer({
  args: ['--runner', 'process'],
  env: { MYCLOUD_WORKER_MACHINES: 'cpu,cpu2,gpu' },
});
try {
  const client = await server.client();
  const { owner } = await client.call(projectRoutes.create, { body: { name: 'bench' } });
  const params = { owner, project: 'bench' };
  for (let i = 0; i < before; i++) {
    const { number } = await client.call(jobRoutes.create, { params, body: { command: 'echo hello' } });
    const at = { params: { ...params, number } };
    await eventually('it ends', async () => (await client.call(jobRoutes.get, at)).finishedAt ?? undefined);
  }
  for (let round = 1; round <= rounds; round++) {
    const [from, ownFrom, allFrom] = [cpuUse(server.pid), process.cpuUsage(), machineCpu()];
    const rate = await trivialJobs(client, params, count);
    const { user, system } = process.cpuUsage(ownFrom);
    const used = { ...usedBetween(from, cpuUse(server.pid)), bench: (user + system) / 1000 };
    figure('trivial', 'trivial_jobs_s', rate, 'jobs/s');
    for (const [program, ms] of Object.entries(used))
      figure('trivial', `${program}_ms`, ms / count, 'ms of CPU a job');
    const total = Object.values(used).reduce((sum, ms) => sum + ms, 0);
    figure('trivial', 'total_ms', total / count, 'ms of CPU a job');
    // The kernel's own threads, and whatever else runs: a figure beside a busy machine's says little.
    figure('trivial', 'elsewhere_ms', (machineCpu() - allFrom - total) / count, 'ms of CPU a job');
  }
} finally {
  await server.remove();
}
