import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { jobRoutes, logRoutes, projectRoutes } from '@mycloud/shared';
import { startServer } from '../test/support/server.js';
import { databaseSize, fillJobs, openDatabase } from './fill-jobs.js';
import { plantLogs } from './plant-logs.js';
import { figure, p95 } from './report.js';
import { benchWorker } from './worker.js';

/**
 * What reading costs when much is stored: 1,000,000 finished jobs, 100,000,000 log lines. Planting takes minutes and some 3 GB:
 * with MYCLOUD_BENCH_STORED=DIR the server's folder is kept there, and measured again as it is.
 */
const finished = 1_000_000;
const queued = 10_000;
const usual = { jobs: 90_000, lines: 1000 };
const large = { job: usual.jobs + 1, lines: 10_000_000 };
const kept = process.env.MYCLOUD_BENCH_STORED;

const server = await startServer({
  args: ['--runner', 'process'],
  env: { MYCLOUD_WORKER_MACHINES: 'cpu' },
  async prepare(home) {
    if (kept && existsSync(kept)) await rename(kept, home);
  },
});
try {
  const client = await server.client();
  const known = (await client.call(projectRoutes.list, {})).items[0];
  const { owner } = known ?? (await client.call(projectRoutes.create, { body: { name: 'bench' } }));
  if (!known) await plant();
  await measure(owner);
  await server.stop();
  if (kept) {
    await mkdir(path.dirname(kept), { recursive: true });
    await rename(server.home, kept);
  }
} finally {
  await server.remove();
}

async function plant(): Promise<void> {
  const client = await server.client();
  const { workerId } = await benchWorker(client);
  const database = await openDatabase(server.home);
  const bytes = await fillJobs(database, { project: 'bench', workerId, finished, queued });
  figure('stored', 'database_bytes_job', bytes, 'bytes');
  const logs = new Map(Array.from({ length: usual.jobs }, (_, i) => [i + 1, usual.lines]));
  logs.set(large.job, large.lines);
  const before = await databaseSize(database);
  const planted = await plantLogs(database, server.home, 'bench', logs);
  figure('stored', 'lines', planted.lines, 'lines');
  figure('stored', 'store_bytes_line', planted.bytes / planted.lines, 'bytes');
  figure('stored', 'database_bytes_log', ((await databaseSize(database)) - before) / logs.size, 'bytes');
  await database.end();
}

async function measure(owner: string): Promise<void> {
  const client = await server.client();
  const list = (query: Parameters<typeof client.call<typeof jobRoutes.list>>[1]['query']) => () =>
    client.call(jobRoutes.list, { query: { limit: 50, ...query } });
  const ms = async (name: string, call: (i: number) => Promise<unknown>) =>
    figure('stored', `${name}_p95_ms`, await p95(call), 'ms');

  await ms('list', list({}));
  await ms('list_project', list({ owner, project: 'bench' }));
  await ms('list_by_duration', list({ sort: 'duration' }));
  // Ever another text, as somebody types it.
  await ms('list_text_one_job', (i) => list({ text: `epochs ${finished - 7 * i}` })());
  await ms('list_text_no_job', (i) => list({ text: `resnet${i}` })());
  await ms('list_text_every_job', list({ text: 'train' }));
  await ms('list_text_job_name', (i) => list({ text: `bench/${finished - 7 * i}` })());
  await ms('list_project_text', (i) =>
    list({ owner, project: 'bench', text: `epochs ${finished - 7 * i}` })(),
  );

  const log = (number: number) => ({ owner, project: 'bench', number });
  const place = (i: number, lines: number) => `1.${(i * 7_919_993) % lines}`;
  await ms('log_first_page', (i) => client.call(logRoutes.range, { params: log(1 + i * 887) }));
  await ms('log_large_first_page', () => client.call(logRoutes.range, { params: log(large.job) }));
  await ms('log_large_last_page', () =>
    client.call(logRoutes.range, { params: log(large.job), query: { tail: 1000 } }),
  );
  await ms('log_large_range', (i) =>
    client.call(logRoutes.range, { params: log(large.job), query: { after: place(i, large.lines) } }),
  );
  await ms('log_large_attempts', () => client.call(logRoutes.attempts, { params: log(large.job) }));
  const { lines } = await client.call(logRoutes.range, { params: log(large.job), query: { limit: 1 } });
  await ms('log_large_at_time', (i) =>
    client.call(logRoutes.at, {
      params: log(large.job),
      query: { time: (lines[0]?.time ?? 0) + ((i * 7_919_993) % large.lines) },
    }),
  );
  await ms('log_search', (i) =>
    client.call(logRoutes.search, { params: log(1 + i * 887), query: { text: 'no such words' } }),
  );
  await ms('log_large_search_found', (i) =>
    client.call(logRoutes.search, {
      params: log(large.job),
      query: { text: 'loss: 0.5', after: place(i, large.lines), limit: 200 },
    }),
  );
  let looked = 0;
  await ms('log_large_search_call', async (i) => {
    const from = (i * 7_919_993) % large.lines;
    const { cursor } = await client.call(logRoutes.search, {
      params: log(large.job),
      query: { text: 'no such words', after: `1.${from}` },
    });
    looked += Number(cursor.split('.')[1]) - from;
  });
  figure('stored', 'log_large_search_lines_call', looked / 100, 'lines');
  const from = performance.now();
  for (let after = '0.0', ended = false; !ended; )
    ({ cursor: after, ended } = await client.call(logRoutes.search, {
      params: log(large.job),
      query: { text: 'no such words', after },
    }));
  figure('stored', 'log_large_search_all_s', (performance.now() - from) / 1000, 's');
}
