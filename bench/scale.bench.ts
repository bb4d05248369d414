import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, jobRoutes, projectRoutes, version, workerRoutes } from '@mycloud/shared';
import { descendants } from '../test/support/processes.js';
import { startServer } from '../test/support/server.js';
import { fillJobs, openDatabase } from './fill-jobs.js';
import { ingestFigures } from './ingest.js';
import { figure, p95 } from './report.js';
import { benchWorker } from './worker.js';

const queued = 10_000;
const finished = 1_000_000;
const idle = 200;
const many = 1000;
const idleSeconds = 20;

const stat = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
const cpuSeconds = (pid: number): number => (Number(stat(pid)[11]) + Number(stat(pid)[12])) / 100;
const memoryMb = (pid: number): number => (Number(stat(pid)[21]) * 4096) / 2 ** 20;

/**
 * Workers without work, by the real protocol: registered, renewing every third of a lease, a command stream open.
 * @returns takes them away
 */
async function simulateWorkers(worker: Client, count: number): Promise<() => Promise<void>> {
  const leaving = new AbortController();
  const { signal } = leaving;
  // One signal for all of them.
  setMaxListeners(0, signal);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const body = {
      name: `idle-${n}`,
      version,
      runner: 'process',
      machines: ['cpu2'],
      cores: 2,
      memoryBytes: 2 ** 32,
      gpus: 0,
    };
    const { workerId } = await worker.call(workerRoutes.register, { body });
    ids.push(workerId);
    const stream = await worker.open(workerRoutes.commands, { query: { workerId } }, { signal });
    void stream.text().catch(() => undefined);
  }
  const beat = async (workerId: string, n: number): Promise<void> => {
    // Spread over the term, as workers that were started at different times are.
    await sleep((n / count) * 10_000, undefined, { signal });
    for (;;) {
      await worker.call(workerRoutes.heartbeat, { body: { workerId, attempts: [] } }, { signal });
      await worker.call(workerRoutes.claim, { body: { workerId, machines: ['cpu2'] } }, { signal });
      await sleep(10_000, undefined, { signal });
    }
  };
  const beating = ids.map((id, n) => beat(id, n).catch(() => undefined));
  await sleep(10_000);
  return async () => {
    leaving.abort();
    await Promise.all(beating);
  };
}

async function idleCost(worker: Client, apiPid: number): Promise<number> {
  const end = await simulateWorkers(worker, idle);
  const before = cpuSeconds(apiPid);
  await sleep(idleSeconds * 1000);
  const used = cpuSeconds(apiPid) - before;
  await end();
  return (100 * used) / idleSeconds;
}

const server = await startServer({
  args: ['--runner', 'process'],
  env: { MYCLOUD_WORKER_MACHINES: 'cpu' },
});
try {
  const client = await server.client();
  const { owner } = await client.call(projectRoutes.create, { body: { name: 'bench' } });
  const { worker, workerId } = await benchWorker(client);
  const [apiPid] = descendants(server.pid, /api\/dist\/main\.js/);
  if (!apiPid) throw new Error('the api is not found');
  const database = await openDatabase(server.home);
  const bytes = await fillJobs(database, { project: 'bench', workerId, finished, queued });
  await database.end();
  figure('scale', 'database_bytes_job', bytes, 'bytes');

  const params = { owner, project: 'bench' };
  const before = memoryMb(apiPid);
  const claim = () => worker.call(workerRoutes.claim, { body: { workerId, machines: ['gpu2'] } });
  figure('scale', 'claim_p95_ms', await p95(claim), 'ms');
  figure(
    'scale',
    'list_p95_ms',
    await p95(() => client.call(jobRoutes.list, { query: { limit: 50 } })),
    'ms',
  );
  const status = (i: number) =>
    client.call(jobRoutes.get, { params: { ...params, number: finished + queued - i } });
  figure('scale', 'status_p95_ms', await p95(status), 'ms');
  figure('scale', 'api_memory_growth_mb', memoryMb(apiPid) - before, 'MB');
  figure('scale', 'idle_workers_200_cpu_percent', await idleCost(worker, apiPid), '% of a core');
  const end = await simulateWorkers(worker, many);
  figure('scale', 'claim_1000_workers_p95_ms', await p95(claim), 'ms');
  await end();
} finally {
  await server.remove();
}
await ingestFigures();
