import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

const evil = '<img src=x onerror="window.hacked=1">';

/** Prints three points of two metrics, the last as far as the flag says, and one whose name is HTML. */
const train = `
const lr = Number(process.argv[process.argv.indexOf('--lr') + 1]);
for (let step = 1; step <= 3; step++) {
  console.log(JSON.stringify({ metric: 'val_acc', value: lr * step, step }));
  console.log(JSON.stringify({ metric: 'val_loss', value: 1 - lr * step, step }));
  console.log(JSON.stringify({ metric: ${JSON.stringify(evil)}, value: lr, step }));
}`;

describe.skipIf(!chromiumPath)('jobs in a list, and side by side', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  const jobs: Job[] = [];

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const project = await server.project('cats', { 'train.mjs': train });
    const run = async (...args: string[]) =>
      jobs.push(await server.json<Job>(['run', '--cpu', ...args], { cwd: project }));
    await run('-m', evil, '--tag', 'first', 'node train.mjs --lr 0.1');
    await run('node train.mjs --lr 0.3 --wide');
    await writeFile(path.join(project, 'train.mjs'), `${train}\nconsole.log('${evil}');`);
    await run('node train.mjs --lr 0.2');
    for (const job of jobs) await server.ended(job);
    page = await browser.open(server);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const untouched = async () => {
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(browser.complaints()).toEqual([]);
  };
  const numbers = async () =>
    (await page.locator('.jobs-body .row-link').allTextContents()).map((text) =>
      Number(/#(\d+)/.exec(text)?.[1]),
    );
  const compare = (...which: Job[]) => `/compare?jobs=${which.map((job) => job.name).join(',')}`;

  it('are sorted by a metric on the server: its best first, then its least, then as they were', async () => {
    await page.getByRole('button', { name: 'val_acc' }).click();
    await page.waitForURL(/sort=metric/);
    await eventually('the best is first', async () => (await numbers()).join() === '2,3,1');
    await page.getByRole('button', { name: 'val_acc' }).click();
    await eventually('the least is first', async () => (await numbers()).join() === '1,3,2');
    // Of a loss the least is best.
    await page.getByRole('button', { name: 'val_loss' }).click();
    await eventually('the least loss is first', async () => (await numbers()).join() === '2,3,1');
  });

  it('show the columns that were chosen, also for who returns, until the defaults are wanted', async () => {
    await page.getByRole('button', { name: 'Columns' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Tags').check();
    await dialog.getByLabel('Worker').check();
    await dialog.getByLabel('Machine').uncheck();
    await dialog.getByLabel(evil).check();
    await dialog.getByRole('button', { name: 'Done' }).click();
    const titles = () => page.getByRole('columnheader').allTextContents();
    const chosen = [
      'Chosen',
      'Status',
      'Job',
      'Tags',
      'val_acc',
      'val_loss',
      evil,
      'Worker',
      'Duration',
      'Made',
    ];
    expect(await titles()).toEqual(chosen);
    await page.goto(`${server.url}/datasets`);
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('columnheader', { name: 'Worker' }).waitFor();
    expect(await titles()).toEqual(chosen);
    expect((await numbers()).join()).toBe('2,3,1');
    expect(page.url()).toContain('cols=');
    await page.getByRole('button', { name: 'Show as usual' }).click();
    await page.getByRole('columnheader', { name: 'Machine' }).waitFor();
    await eventually('the newest is first', async () => (await numbers()).join() === '3,2,1');
    await page.goto(server.url);
    await page.getByRole('columnheader', { name: 'Machine' }).waitFor();
    expect(page.url()).not.toContain('cols=');
    await untouched();
  });

  it('are found by a tag that is pressed, and stay chosen while they are filtered away', async () => {
    await page.locator('h1').click();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 job chosen').waitFor();
    await page.getByRole('button', { name: 'first' }).click();
    await page.waitForURL(/tag=first/);
    await eventually('only the tagged one is there', async () => (await numbers()).join() === '1');
    await page.getByRole('checkbox', { name: 'Choose cats #1' }).focus();
    await page.keyboard.press('Space');
    await page.getByText('2 jobs chosen').waitFor();
    await page.getByRole('button', { name: /show jobs of any tag/ }).click();
    await eventually('all are there', async () => (await numbers()).length === 3);
    await page.getByRole('link', { name: 'Compare (2)' }).click();
    await page.getByRole('heading', { name: 'Compare 2 jobs' }).waitFor();
    expect(page.url()).toContain(compare(jobs[2]!, jobs[0]!));
  });

  it('differ in what is shown, in lines of code, and are drawn over one another', async () => {
    await page.goto(server.url + compare(jobs[0]!, jobs[2]!));
    const row = (title: string) => page.locator(`tr[data-row="${title}"] td`).allTextContents();
    await page.locator('tr[data-row="val_acc, highest"] strong').waitFor();
    expect(await row('--lr')).toEqual(['0.1', '0.2']);
    expect(await row('description')).toEqual([evil, '–']);
    expect((await row('val_acc, last'))[1]).toContain('★');
    expect(await page.locator('tr[data-row="machine"]').count()).toBe(0);
    await page.getByLabel('Show all').check();
    await page.locator('tr[data-row="machine"]').waitFor();
    expect(await row('machine')).toEqual(['cpu', 'cpu']);
    await page.locator('.diff-added', { hasText: evil }).waitFor();
    await page.locator('figure[data-series*="val_acc"]').scrollIntoViewIfNeeded();
    const drawn = await eventually('both lines have their points', async () => {
      const series = JSON.parse(
        (await page.locator('figure[data-series*="val_acc"]').getAttribute('data-series')) ?? '[]',
      ) as { role: string; total: number; last: number }[];
      return series.length === 2 && series.every((one) => one.total === 3) && series;
    });
    expect(drawn.map(({ role, last }) => [role, last.toFixed(1)])).toEqual([
      ['#1', '0.3'],
      ['#3', '0.6'],
    ]);
    await page.getByText('Elapsed').click();
    await page.waitForURL(/axis=elapsed/);
    expect(await page.getByRole('link', { name: 'TensorBoard' }).getAttribute('href')).toBe(
      `/tensorboard?jobs=${jobs[0]!.name},${jobs[2]!.name}`,
    );
    await untouched();
  });

  it('stand on axes when there are three; a part of an axis, by mouse or by key, leaves the others out', async () => {
    await page.goto(server.url + compare(...jobs));
    await page.locator('.coordinate-line').nth(2).waitFor();
    const axes = () =>
      page
        .locator('.coordinate-axis')
        .evaluateAll((found) =>
          found.map((axis) => (axis as unknown as { dataset: { axis: string } }).dataset.axis),
        );
    // The best of a metric takes the place of its last once its points have come.
    await eventually(
      'the best is an axis',
      async () => (await axes()).join() === '--lr,--wide,code,val_acc, highest',
    );
    const columns = () => page.locator('.differences thead th').allTextContents();
    const brush = (await page.locator('[data-axis="--lr"] .coordinate-brush').boundingBox())!;
    const x = brush.x + brush.width / 2;
    await page.mouse.move(x, brush.y + brush.height * 0.3);
    await page.mouse.down();
    await page.mouse.move(x, brush.y + brush.height * 0.7, { steps: 4 });
    await page.mouse.up();
    await page.getByText('1 of 3 jobs').waitFor();
    expect((await columns()).map((text) => text.trim())).toEqual(['#3']);
    await page.getByRole('button', { name: 'Show all 3' }).click();
    await page.getByRole('slider', { name: 'val_acc, highest, from' }).focus();
    await page.keyboard.press('ArrowUp');
    await page.getByText('2 of 3 jobs').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Drag along an axis').waitFor();
    await untouched();
  });

  it('that are gone are named, and the others compared', async () => {
    await page.goto(`${server.url}${compare(...jobs.slice(0, 2))},${jobs[0]!.name.replace(/\d+$/, '99')}`);
    await page
      .getByRole('alert')
      .getByText(/there is no job .*cats\/99/)
      .waitFor();
    await page.locator('tr[data-row="--lr"]').waitFor();
    browser.complaints();
    await page.goto(`${server.url}/compare?jobs=javascript:alert(1)`);
    await page.getByText('Choose two jobs or more').waitFor();
    await untouched();
  });

  it('tell how the code changed since the job before', async () => {
    await page.goto(`${server.url}/${jobs[2]!.name}/details`);
    await page.getByRole('heading', { name: 'Code, since #2' }).waitFor();
    await page.locator('.diff-added', { hasText: evil }).waitFor();
    await page.goto(`${server.url}/${jobs[1]!.name}/details`);
    await page.getByText('The very same code.').waitFor();
    await page.goto(`${server.url}/${jobs[0]!.name}/details`);
    await page.getByText('There is no job before it').waitFor();
    await untouched();
  });
});
