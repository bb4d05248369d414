import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type CreateJob,
  type Job,
  jobRoutes,
  logRoutes,
  projectRoutes,
  readEvents,
  workerRoutes,
} from '@mycloud/shared';
import { eventually, startServer } from '../test/support/server.js';
import { figure, median, quantile } from './report.js';
import { startSlurmPeer } from './slurm-peer.js';
import { trivialJobs } from './trivial-jobs.js';
import { benchWorker } from './worker.js';

const submissions = 40;
const trivialCount = 300;
const trivialRounds = 3;
const stops = 15;
const claims = 100;

const params = { owner: '', project: 'bench' };
const submit = (client: Client, body: CreateJob): Promise<Job> =>
  client.call(jobRoutes.create, { params, body });
const jobParams = (job: Job) => ({ ...params, number: job.number });

/** Follows the log until `wanted` is in a line of the job's own; answers when that was. */
async function seen(client: Client, job: Job, wanted: string): Promise<number> {
  const response = await client.open(logRoutes.stream, { params: jobParams(job) });
  for await (const event of readEvents(response)) {
    if (event.event !== 'lines') continue;
    const { lines } = JSON.parse(event.data) as { lines: { source: string; text: string }[] };
    // Leaving the loop hangs up.
    if (lines.some((line) => line.source === 'job' && line.text.includes(wanted))) return performance.now();
  }
  throw new Error(`job ${job.name} ended without printing ${wanted}`);
}

/** The median of some rounds. */
async function rateOf(round: () => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; i < trivialRounds; i++) rates.push(await round());
  return median(rates);
}

const ended = (client: Client, job: Job) =>
  eventually(
    `${job.name} ends`,
    async () => (await client.call(jobRoutes.get, { params: jobParams(job) })).finishedAt ?? undefined,
    120,
  );

/** The same of Slurm, while our server has nothing to do. */
async function slurmFigures() {
  const slurm = await startSlurmPeer();
  if (!slurm) return undefined;
  try {
    const delays: number[] = [];
    for (let i = 0; i < submissions; i++) {
      // It looks for jobs once a second: one submitted right after another's end would always wait as long.
      await sleep(Math.random() * 1000);
      delays.push(await slurm.firstLog());
    }
    const rate = await rateOf(() => slurm.trivialJobs(trivialCount));
    return { p50: quantile(delays, 0.5), p95: quantile(delays, 0.95), rate };
  } finally {
    await slurm.stop();
  }
}

// The server's own worker leaves gpu2 to the one that is measured here.
const server = await startServer({
  args: ['--runner', 'process'],
  env: { MYCLOUD_WORKER_MACHINES: 'cpu,cpu2,gpu' },
});
try {
  const client = await server.client();
  const project = await client.call(projectRoutes.create, { body: { name: 'bench' } });
  params.owner = project.owner;

  const delays: number[] = [];
  for (let i = 0; i < submissions + 3; i++) {
    const from = performance.now();
    const job = await submit(client, { command: 'echo hello' });
    const at = await seen(client, job, 'hello');
    if (i >= 3) delays.push(at - from);
    await ended(client, job);
  }
  const peer = await slurmFigures();
  const beside = (value: number | undefined) =>
    value === undefined ? { missing: 'slurm' } : { name: 'slurm', value };
  figure('jobs', 'first_log_p50_ms', quantile(delays, 0.5), 'ms', beside(peer?.p50));
  figure('jobs', 'first_log_p95_ms', quantile(delays, 0.95), 'ms', beside(peer?.p95));

  const rate = await rateOf(() => trivialJobs(client, params, trivialCount));
  figure('jobs', 'trivial_jobs_s', rate, 'jobs/s', beside(peer?.rate));

  const stopDelays: number[] = [];
  for (let i = 0; i < stops; i++) {
    const job = await submit(client, {
      command: 'trap "date +%s%3N; exit 0" TERM; echo ready; while :; do sleep 0.01; done',
    });
    await seen(client, job, 'ready');
    const asked = Date.now();
    await client.call(jobRoutes.stop, { params: jobParams(job) });
    await ended(client, job);
    const { lines } = await client.call(logRoutes.range, { params: jobParams(job) });
    const got = lines.find((line) => line.source === 'job' && /^\d{13}$/.test(line.text));
    if (!got) throw new Error(`${job.name} did not say when it got SIGTERM`);
    stopDelays.push(Number(got.text) - asked);
  }
  figure('jobs', 'stop_p95_ms', quantile(stopDelays, 0.95), 'ms');

  const claimTimes: number[] = [];
  const { worker, workerId } = await benchWorker(client);
  for (let i = 0; i < claims; i++) await submit(client, { command: 'true', machine: 'gpu2' });
  for (let i = 0; i < claims; i++) {
    const claimFrom = performance.now();
    const { assignment } = await worker.call(workerRoutes.claim, { body: { workerId, machines: ['gpu2'] } });
    claimTimes.push(performance.now() - claimFrom);
    if (!assignment) throw new Error('a queued job was not given');
  }
  figure('jobs', 'claim_p95_ms', quantile(claimTimes, 0.95), 'ms');

  const listTimes: number[] = [];
  for (let i = 0; i < 50; i++) {
    const listFrom = performance.now();
    await client.call(jobRoutes.list, { query: { limit: 50 } });
    listTimes.push(performance.now() - listFrom);
  }
  figure('jobs', 'list_p95_ms', quantile(listTimes, 0.95), 'ms');
} finally {
  await server.remove();
}
