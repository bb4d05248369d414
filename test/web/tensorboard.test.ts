import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { carrying, descendants } from '../support/processes.js';
import { eventually, onCluster, startServer, type TestServer } from '../support/server.js';
import { tensorboard } from '../support/tensorboard.js';

const evil = '<img src=x onerror=parent.hacked=1>';
/** Writes an event file whose words are a page's. */
const hostile = `
import { createEventWriter } from '${import.meta.resolve('@mycloud/tfevents').replace('/src/index.ts', '/dist/index.js')}';
const writer = createEventWriter('output/${evil.replaceAll('/', '')}');
writer.scalar(${JSON.stringify(evil)}, 1, 1);
writer.scalar('[x](javascript:parent.hacked=1)', 1, 1);
await writer.close();`;

/** Leaves what `mycloud env build tensorboard` does. */
async function installTensorboard(home: string): Promise<void> {
  const environments = path.join(home, 'worker/environments');
  await mkdir(environments, { recursive: true });
  await symlink(path.resolve(tensorboard!, '../..'), path.join(environments, 'tensorboard'));
}

describe.skipIf(!chromiumPath || !tensorboard)('TensorBoard on the page', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let job: Job;
  let project: string;
  const board = () => page.frameLocator('iframe[title=TensorBoard]');
  /** Programs that read a folder of this server's. */
  const running = () => carrying(`--logdir=${server.cluster?.base ?? server.home}`);

  const run = async (...args: string[]): Promise<Job> => {
    const made = await server.json<Job>(['run', '--cpu', '--tensorboard', ...args], { cwd: project });
    return server.ended(made, 180);
  };

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    project = await server.project('cats', { 'hostile.mjs': hostile });
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 8, val: 4, seed: 3 });
    await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    const train = 'train --epochs 2 --image-size 48 --train-samples 8 --val-samples 4 --logdir /output/Graph';
    job = await run('--data', 'dogsvscats:input', train);
    expect(job.message).toBe('finished');
    page = await browser.open(server, `/${job.name}/tensorboard`);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  it('is offered by the command line where it was asked for', async () => {
    const { stderr } = await server.cli(['run', '--cpu', '--tensorboard', 'true'], { cwd: project });
    expect(stderr).toMatch(/TensorBoard: http\S+\/projects\/cats\/\d+\/tensorboard/);
  });

  // The apis of a cluster bring it.
  it.skipIf(onCluster)(
    'says how to have it where it isn’t installed, and shows the event files itself',
    async () => {
      await page.getByText('mycloud env build tensorboard').waitFor();
      await page.getByRole('heading', { name: 'epoch_loss' }).waitFor();
      await page
        .getByRole('heading', { name: /^conv2d\/kernel/ })
        .first()
        .waitFor();
      const image = page.locator('.summary-image img').first();
      await image.scrollIntoViewIfNeeded();
      await eventually('the picture is drawn', () =>
        image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth > 0),
      );
      const slider = page
        .locator('.summary-card', { has: page.locator('img') })
        .first()
        .getByRole('slider');
      await slider.focus();
      const before = await image.getAttribute('alt');
      await page.keyboard.press('ArrowLeft');
      await eventually('another step is shown', async () => (await image.getAttribute('alt')) !== before);
      expect(await page.locator('.histogram rect').count()).toBeGreaterThan(5);
      expect(browser.complaints()).toEqual([]);
    },
  );

  it('is there by itself once it was built, and shows the training', async () => {
    if (!onCluster) await installTensorboard(server.home);
    await board().getByText('epoch_loss').first().waitFor();
    await board().getByText('validation').first().waitFor();
    expect(browser.complaints()).toEqual([]);
  });

  it('can’t reach the page around it, nor the api as its user', async () => {
    const frame = page.frames().find((one) => one.url().includes('/v1/tensorboards/'))!;
    const reached = await frame.evaluate(async () => {
      const tries = {
        cookie: async () => (await fetch('/v1/me')).status,
        parent: async () => (globalThis as unknown as { parent: { document: unknown } }).parent.document,
      };
      const results = Object.values(tries).map((one) => one().catch(() => 'refused'));
      return Promise.all(results);
    });
    expect(reached).toEqual(['refused', 'refused']);
    browser.complaints();
  });

  it('opens in a tab of its own', async () => {
    const [tab] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('link', { name: 'Open in a tab of its own' }).click(),
    ]);
    await tab.getByText('epoch_loss').first().waitFor();
    await tab.close();
  });

  it('says that it died, and starts again by a click', async () => {
    for (const pid of running()) process.kill(pid, 'SIGKILL');
    await page.getByText('TensorBoard has ended: it was ended by SIGKILL.').waitFor();
    await page.getByRole('button', { name: 'Start it again' }).click();
    await board().getByText('epoch_loss').first().waitFor();
    browser.complaints();
  });

  it('goes with its api, however that ends, and comes back with it', async () => {
    expect(running().length).toBeGreaterThan(0);
    for (const api of descendants(server.pid, /apps\/api\/dist\/main\.js/)) process.kill(api, 'SIGKILL');
    await eventually('it is gone', async () => running().length === 0);
    await eventually('it is back', async () => running().length > 0);
    await page.reload();
    await board().getByText('epoch_loss').first().waitFor();
    await page.close();
    browser.complaints();
  });

  it('runs nothing of an event file whose words are a page’s, and shows several jobs together', async () => {
    const other = await run('node hostile.mjs');
    expect(other.message).toBe('finished');
    page = await browser.open(server, `/tensorboard?jobs=${job.name},${other.name}`);
    await board().getByText('epoch_loss').first().waitFor();
    await board().getByText(`${other.number}/`).first().waitFor();
    await board().getByText('onerror').first().waitFor();
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    await page.close();
  });

  it('says what to do for a job that has written no event file', async () => {
    const empty = await run('true');
    page = await browser.open(server, `/${empty.name}/tensorboard`);
    await page.getByRole('heading', { name: 'No event files yet' }).waitFor();
    await page.goto(`${server.url}/tensorboard`);
    await page.getByText('Of which jobs?').waitFor();
    await page.goto(`${server.url}/tensorboard?jobs=nobody/projects/nothing/1`);
    await page.getByRole('alert').waitFor();
    await page.close();
  });
});
