import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  type AttemptProof,
  type Job,
  jobRoutes,
  metricRoutes,
  projectRoutes,
  workerRoutes,
} from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { startBrowser } from '../test/support/browser.js';
import { eventually, startServer } from '../test/support/server.js';
import { tensorboard } from '../test/support/tensorboard.js';
import { figure, median, quantile } from './report.js';
import { openPagesCpu } from './web/open-pages.js';
import { tensorboardViews } from './web/tensorboard-views.js';
import { benchWorker } from './worker.js';

const lines = 1_000_000;
const linesPerBatch = 5_000;
const series = 20;
const pointsPerSeries = 100_000;
const pointsPerBatch = 10_000;
const views = 5;
const scrollSeconds = 3;
const livePoints = 60;

/** Each point's step is when it was printed. */
const live = `let n = 0; setInterval(() => {
  console.log(JSON.stringify({ metric: 'live', value: n, step: Date.now() }));
  if (++n === ${livePoints}) process.exit(0);
}, 400)`;

/** Asked from outside: the page's policy lets no text be run inside. */
async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate<boolean>(expression))) await sleep(5);
}

// The server's own worker leaves gpu2 to the long job, which is written here.
const server = await startServer({
  args: ['--runner', 'process'],
  env: {
    MYCLOUD_WORKER_MACHINES: 'cpu,cpu2,gpu',
    ...(tensorboard && { MYCLOUD_TENSORBOARD: tensorboard }),
    // Each view starts its own.
    MYCLOUD_TENSORBOARD_MAX: '1',
  },
});
const browser = await startBrowser();
try {
  const assets = path.resolve(import.meta.dirname, '../apps/web/dist/assets');
  const sizes = readdirSync(assets)
    .filter((file) => /\.(js|css|svg)$/.test(file))
    .map((file) => gzipSync(readFileSync(path.join(assets, file)), { level: 9 }).length);
  figure('web', 'bundle_kb', sizes.reduce((sum, size) => sum + size, 0) / 1000, 'KB');

  const client = await server.client();
  const { owner } = await client.call(projectRoutes.create, { body: { name: 'bench' } });
  const params = { owner, project: 'bench' };
  const long = await writeLongJob();
  await firstViews(long);
  await scrolling(long);
  await metricDelays();
  await openPages();
  if (tensorboard) {
    const took = await tensorboardViews(server, browser);
    figure('web', 'tensorboard_first_view_ms', median(took), 'ms');
  } else
    process.stderr.write('tensorboard_first_view_ms: MYCLOUD_TEST_TENSORBOARD_PYTHON names no TensorBoard\n');

  /** A job with so many lines and points, by the workers' own protocol. */
  async function writeLongJob(): Promise<Job> {
    const { worker, workerId } = await benchWorker(client);
    const machines = ['gpu2'];
    const job = await client.call(jobRoutes.create, { params, body: { command: 'true', machine: 'gpu2' } });
    const { assignment } = await worker.call(workerRoutes.claim, { body: { workerId, machines } });
    if (!assignment) throw new Error('the job was not given');
    const { jobId, attempt, fence } = assignment;
    const proof = { attempt, fence };
    const at = { jobId };
    const attempts: AttemptProof[] = [{ jobId, ...proof }];
    const renewal = setInterval(
      () => void worker.call(workerRoutes.heartbeat, { body: { workerId, attempts } }),
      5000,
    );
    await worker.call(workerRoutes.status, { params: at, body: { ...proof, status: 'running' } });
    for (let firstSeq = 1; firstSeq <= lines; firstSeq += linesPerBatch) {
      const batch = Array.from({ length: linesPerBatch }, (_, i) => ({
        time: Date.now(),
        source: 'job' as const,
        text: `step ${firstSeq + i} \x1b[32mloss\x1b[0m ${(1 / (firstSeq + i)).toFixed(6)} of a line as long as many`,
      }));
      await worker.call(workerRoutes.logs, { params: at, body: { ...proof, firstSeq, lines: batch } });
    }
    for (let s = 0; s < series; s++) {
      for (let from = 0; from < pointsPerSeries; from += pointsPerBatch) {
        const points = Array.from({ length: pointsPerBatch }, (_, i) => ({
          name: `series_${s}`,
          step: from + i,
          value: Math.sin((from + i) / 3000) + Math.random() / 5,
          time: Date.now(),
        }));
        await worker.call(workerRoutes.metrics, {
          params: at,
          body: { ...proof, batchId: randomUUID(), points },
        });
      }
    }
    clearInterval(renewal);
    const end = { reason: 'exit_zero' as const, detail: '', exitCode: 0, outputSnapshotId: null };
    await worker.call(workerRoutes.finish, { params: at, body: { ...proof, ...end, lastSeq: lines } });
    return job;
  }

  /** From asking for the address until every chart in sight, or the last lines, are there. */
  async function firstViews(job: Job): Promise<void> {
    const page = await browser.open(server);
    const took = async (at: string, seen: string) => {
      const times: number[] = [];
      for (let i = 0; i < views; i++) {
        await page.goto('about:blank');
        const from = performance.now();
        await page.goto(`${server.url}/${job.name}${at}`, { waitUntil: 'commit' });
        await until(page, seen);
        times.push(performance.now() - from);
      }
      return median(times);
    };
    const inSight = `(() => {
      const all = [...document.querySelectorAll('figure.chart')].filter((f) => f.getBoundingClientRect().top < innerHeight);
      return all.length > 0 && all.every((f) => JSON.parse(f.dataset.series).every((s) => s.total > 0));
    })()`;
    figure('web', 'first_view_ms', await took('', inSight), 'ms');
    const linesSeen = `document.querySelectorAll('.line.job').length > 10`;
    figure('web', 'first_view_log_ms', await took('/logs', linesSeen), 'ms');
    await page.close();
  }

  async function scrolling(job: Job): Promise<void> {
    const page = await browser.open(server, `/${job.name}/logs`);
    await page.locator('.line.job').first().waitFor();
    const frames = await page.evaluate<number>(`new Promise((resolve) => {
      const log = document.querySelector('.log');
      const end = performance.now() + ${scrollSeconds * 1000};
      let frames = 0;
      const next = () => {
        log.scrollTop += 80;
        frames++;
        if (performance.now() < end) requestAnimationFrame(next);
        else resolve(frames);
      };
      requestAnimationFrame(next);
    })`);
    figure('web', 'scroll_fps', frames / scrollSeconds, 'frames/s');
    const heap = await page.evaluate<number>('performance.memory.usedJSHeapSize');
    figure('web', 'heap_mb', heap / 1e6, 'MB');
    await page.close();
  }

  /** Two series, each with a point twice a second, as a training that hurries prints them. */
  async function openPages(): Promise<void> {
    const program = `let step = 0; setInterval(() => { step++; for (const metric of ["loss", "val_loss"])
      console.log(JSON.stringify({ metric, value: 1 / step, step })); }, 500)`;
    const job = await client.call(jobRoutes.create, { params, body: { command: `node -e '${program}'` } });
    const at = { ...params, number: job.number };
    await eventually(
      'it runs',
      async () => Object.keys((await client.call(jobRoutes.get, { params: at })).metrics).length > 1,
    );
    figure('web', 'pages_50_cpu_percent', await openPagesCpu(server, client, job, ['loss', 'val_loss']), '%');
    await client.call(jobRoutes.stop, { params: at });
  }

  async function metricDelays(): Promise<void> {
    const body = { command: `node -e '${live.replaceAll("'", `'\\''`)}'` };
    const job = await client.call(jobRoutes.create, { params, body });
    const page = await browser.open(server, `/${job.name}`);
    await page.evaluate(`
      window.seen = [];
      setInterval(() => {
        const figure = document.querySelector('figure[data-series*="live"]');
        const step = figure && JSON.parse(figure.dataset.series)[0].lastStep;
        if (step && window.seen.at(-1)?.step !== step) window.seen.push({ step, at: Date.now() });
      }, 10)`);
    const at = { ...params, number: job.number };
    await eventually(
      'it ends',
      async () => (await client.call(jobRoutes.get, { params: at })).finishedAt,
      120,
    );
    const { points } = await client.call(metricRoutes.series, { params: at, query: { name: 'live' } });
    const last = points.at(-1)?.step;
    await until(page, `window.seen.at(-1)?.step === ${last}`);
    const seen = await page.evaluate<{ step: number; at: number }[]>('window.seen');
    // Those printed before the page was open were not waited for.
    const delays = points
      .filter((point) => point.step! > seen[0]!.step)
      .map((point) => seen.find((one) => one.step >= point.step!)!.at - point.step!);
    figure('web', 'metric_delay_p50_ms', quantile(delays, 0.5), 'ms');
    figure('web', 'metric_delay_p95_ms', quantile(delays, 0.95), 'ms');
    await page.close();
  }
} finally {
  await browser.close();
  await server.remove();
}
