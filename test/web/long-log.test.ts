import { type AttemptProof, type Job, jobRoutes, projectRoutes, workerRoutes } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchWorker } from '../../bench/worker.js';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

/** More than an element of a browser could be high, at 20 pixels a line. */
const total = 2_100_000;
const perBatch = 5000;
/** A second a thousand lines. */
const began = Date.UTC(2026, 10, 1, 12, 0, 0);
const timeOf = (seq: number) => began + seq;

describe.skipIf(!chromiumPath)('a log of more than two million lines', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let job: Job;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'], env: { MYCLOUD_WORKER_MACHINES: 'cpu' } });
    browser = await startBrowser();
    const client = await server.client();
    const { owner } = await client.call(projectRoutes.create, { body: { name: 'long' } });
    const { worker, workerId } = await benchWorker(client);
    const params = { owner, project: 'long' };
    job = await client.call(jobRoutes.create, { params, body: { command: 'true', machine: 'gpu2' } });
    const { assignment } = await worker.call(workerRoutes.claim, { body: { workerId, machines: ['gpu2'] } });
    if (!assignment) throw new Error('the job was not given');
    const { jobId, attempt, fence } = assignment;
    const proof = { attempt, fence };
    const attempts: AttemptProof[] = [{ jobId, ...proof }];
    const renewal = setInterval(
      () => void worker.call(workerRoutes.heartbeat, { body: { workerId, attempts } }),
      5000,
    );
    await worker.call(workerRoutes.status, { params: { jobId }, body: { ...proof, status: 'running' } });
    for (let firstSeq = 1; firstSeq <= total; firstSeq += perBatch) {
      const lines = Array.from({ length: perBatch }, (_, i) => ({
        time: timeOf(firstSeq + i),
        source: 'job' as const,
        text: `line ${firstSeq + i}.`,
      }));
      await worker.call(workerRoutes.logs, { params: { jobId }, body: { ...proof, firstSeq, lines } });
    }
    clearInterval(renewal);
    const end = { reason: 'exit_zero' as const, detail: '', exitCode: 0, outputSnapshotId: null };
    await worker.call(workerRoutes.finish, { params: { jobId }, body: { ...proof, ...end, lastSeq: total } });
    page = await browser.open(server, `/${job.name}/logs`);
    await page.getByText(`${total.toLocaleString('en')} lines`).waitFor();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const line = (seq: number) => page.getByText(`line ${seq}.`, { exact: true });
  const scroll = (to: string) =>
    page.evaluate(`(() => { const log = document.querySelector('.log'); log.scrollTop = ${to}; })()`);
  /** The number of the line at the top of what is seen. */
  const top = () =>
    page.evaluate<number>(`(() => {
      const box = document.querySelector('.log').getBoundingClientRect();
      const line = document.elementFromPoint(box.left + 200, box.top + 30)?.closest('.line');
      return Number(line?.querySelector('.line-number')?.textContent ?? 0);
    })()`);

  it('shows its first and its last lines, and any between', async () => {
    await page.getByRole('button', { name: 'Last line' }).click();
    await line(total).waitFor();
    const box = await line(total).boundingBox();
    const log = await page.locator('.log').boundingBox();
    expect(box!.y + box!.height).toBeLessThanOrEqual(log!.y + log!.height + 1);
    await page.getByRole('button', { name: 'First line' }).click();
    await line(1).waitFor();
    await page.getByLabel('Go to line').fill('1777777');
    await page.keyboard.press('Enter');
    await line(1_777_777).waitFor();
  });

  it('goes by the wheel a line at a time, and by the bar to the part that the bar shows', async () => {
    await scroll('log.scrollHeight / 2');
    await eventually(
      'the middle is in sight',
      async () => Math.abs((await top()) - total / 2) < total / 1000,
    );
    const before = await top();
    await page.locator('.log').hover();
    await page.mouse.wheel(0, 200);
    await eventually('ten lines on', async () => Math.abs((await top()) - before - 10) <= 1);
    await scroll('log.scrollHeight');
    await line(total).waitFor();
    await scroll('0');
    await line(1).waitFor();
  });

  it('goes by small steps past where the element ends', async () => {
    await page.getByLabel('Go to line').fill(String(total - 600));
    await page.keyboard.press('Enter');
    await line(total - 600).waitFor();
    await page.locator('.log').hover();
    await eventually('the last line is reached', async () => {
      await page.mouse.wheel(0, 400);
      return line(total).isVisible();
    });
  });

  it('goes to the first line printed at a time', async () => {
    await page.getByRole('button', { name: 'Go to a time' }).click();
    const local = new Date(timeOf(1_234_000) - new Date().getTimezoneOffset() * 60_000);
    await page.getByLabel('The first line printed at or after').fill(local.toISOString().slice(0, 19));
    await page.getByRole('button', { name: 'Go there' }).click();
    await line(1_234_000).waitFor();
    expect(browser.complaints()).toEqual([]);
  });
});
