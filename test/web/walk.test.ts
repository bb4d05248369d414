import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { descendants } from '../support/processes.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

/** Prints a metric and a line twice a second until it is stopped. */
const endless = `
console.log('the needle in the hay');
for (let i = 1; i <= 3000; i++) console.log('\\x1b[32mhay\\x1b[0m ' + i);
for (let step = 0; ; step++) {
  console.log(JSON.stringify({ metric: 'loss', value: 1 / (step + 1), step }));
  console.log(JSON.stringify({ metric: 'val_loss', value: 1.1 / (step + 1), step }));
  console.log('tick ' + step);
  await new Promise((resolve) => setTimeout(resolve, 500));
}`;

interface Drawn {
  name: string;
  total: number;
  lastStep: number | null;
}

describe.skipIf(!chromiumPath)('the page, walked through as a person does', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let job: Job;
  let page: Page;
  let project: string;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    project = await server.project('cats', { 'endless.mjs': endless });
  });
  afterAll(async () => {
    await browser?.close();
    // A story that broke off before its end leaves the job running, which would outlive the server.
    if (job) await server.cli(['stop', job.name]);
    await server?.remove();
  });

  it('asks for a login, and for none who comes by a link, which is good once', async () => {
    const stranger = await browser.context.newPage();
    await stranger.goto(`${server.url}/cluster`);
    await stranger.getByRole('heading', { name: 'Log in to mycloud' }).waitFor();
    const { url } = await server.json<{ url: string }>(['open']);
    await stranger.goto(url);
    await stranger.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await stranger.getByText('No jobs yet').waitFor();
    await stranger.context().clearCookies();
    await stranger.goto(url);
    await stranger.getByText('That link has been used').waitFor();
    await stranger.close();
    browser.complaints();
  });

  it('shows the first pictures of each class of a dataset', async () => {
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 8, val: 4, seed: 3 });
    await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    page = await browser.open(server, '/datasets');
    await page.getByRole('link', { name: 'dogsvscats' }).click();
    await page.getByText('train/cats').waitFor();
    const shown = await eventually('all pictures are drawn', () =>
      page.locator('.class img').evaluateAll((images) => {
        const drawn = images.filter(
          (image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0,
        ).length;
        for (const image of images) image.scrollIntoView();
        return drawn === images.length && drawn;
      }),
    );
    expect(shown).toBe(12);
    await page.close();
  });

  it('shows a job that is submitted without a reload, and its metrics as they are printed', async () => {
    page = await browser.open(server);
    job = await server.json<Job>(['run', '--cpu', '-m', 'an endless one', 'node endless.mjs'], {
      cwd: project,
    });
    await page.getByRole('link', { name: /cats #1/ }).click();
    await page.getByRole('heading', { name: 'cats #1' }).waitFor();
    const drawn = async (): Promise<Drawn[]> =>
      JSON.parse((await page.locator('figure[data-series*="val_loss"]').getAttribute('data-series')) ?? '[]');
    const first = await eventually('a point is on the chart', async () => {
      const series = await drawn();
      return series[0]!.total > 0 && series;
    });
    expect(first.map((series) => series.name)).toEqual(['loss', 'val_loss']);
    await eventually(
      'the next points come by themselves',
      async () => (await drawn())[1]!.total > first[1]!.total + 2,
    );
    expect(await page.title()).toMatch(/^▶ cats #1/);
  });

  it('follows its log, and searches the whole of it', async () => {
    await page.keyboard.press('2');
    await page.getByText('· live').waitFor();
    const last = async () => (await page.locator('.line-text').last().textContent()) ?? '';
    await eventually('the newest line is in sight', async () => /tick|metric/.test(await last()));
    await page.keyboard.press('/');
    await page.keyboard.type('NEEDLE');
    await page.getByText('1 of 1').waitFor();
    await page.locator('mark', { hasText: 'needle' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Go to line').fill('1500');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Link to line 1500' }).click();
    expect(page.url()).toMatch(/logs#L1500$/);
    await page.reload();
    await page.locator('.line.linked', { hasText: 'hay' }).waitFor();
    expect(await page.locator('.ansi-green').first().textContent()).toBe('hay');
  });

  it('says that it reconnects while the api is away, and goes on without a gap', async () => {
    await page.getByRole('button', { name: 'Follow' }).click();
    // Another one would go on at once, where there are two.
    for (const api of descendants(server.pid, /apps\/api\/dist\/main\.js/)) process.kill(api, 'SIGKILL');
    await page.getByText('Reconnecting…', { exact: true }).waitFor();
    await page.getByText('· live').waitFor();
    await page.getByText('Reconnecting…', { exact: true }).waitFor({ state: 'detached' });
    const total = async () => Number(await page.locator('.log').getAttribute('data-total'));
    const before = await total();
    await eventually('lines come again', async () => (await total()) > before + 4);
    browser.complaints();
  });

  it('comes back by itself when a proxy has answered in the server’s place', async () => {
    const streams = /\/stream(\?|$)/;
    await page.route(streams, (route) => route.fulfill({ status: 503, body: 'no server is available' }));
    for (const api of descendants(server.pid, /apps\/api\/dist\/main\.js/)) process.kill(api, 'SIGKILL');
    await page.getByText('Reconnecting…', { exact: true }).waitFor();
    const answers = async () => (await fetch(`${server.url}/health`).catch(() => undefined))?.ok;
    await eventually('the api is back', answers);
    await page.unroute(streams);
    await page.getByText('· live').waitFor();
    await page.getByText('Reconnecting…', { exact: true }).waitFor({ state: 'detached' });
    browser.complaints();
  });

  it('stops it, having asked and named it', async () => {
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('heading', { name: `Stop ${job.name}?` }).waitFor();
    await page.getByRole('button', { name: 'Let it run' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Stop the job' }).click();
    await page.locator('.status-large[data-status="stopped"]').waitFor();
    await page.getByTestId('why').getByText('stopped by').waitFor();
    expect(await page.title()).toMatch(/^■/);
    await page.keyboard.press('5');
    await page.getByText('asked to stop it').waitFor();
  });

  it('finds jobs by text and status, and keeps both in the address', async () => {
    await page.goto(server.url);
    await page.locator('.row-link').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('endless one');
    await page.waitForURL(/q=endless/);
    await page.getByLabel('Status').selectOption('stopped');
    await page.waitForURL(/status=stopped/);
    await page.reload();
    await page.locator('.row-link').waitFor();
    expect(await page.locator('.row-link').count()).toBe(1);
    await page.getByLabel('Status').selectOption('failed');
    await page.getByText('No job matches').waitFor();
    await page.getByLabel('Status').selectOption('');
    await page.locator('.row-link').waitFor();
    await page.locator('h1').click();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'cats #1' }).waitFor();
  });

  it('logs out', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in to mycloud' }).waitFor();
    await page.goto(`${server.url}/${job.name}`);
    await page.getByRole('heading', { name: 'Log in to mycloud' }).waitFor();
  });
});
