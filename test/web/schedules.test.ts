import type { Schedule } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

describe.skipIf(!chromiumPath)('schedules on the page', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let cwd: string;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    cwd = await server.project('cats', { 'hello.txt': 'from the folder' });
    const words = ['schedule', 'create', '--cron', '0 3 * * *', '--tz', 'Europe/Berlin', '--name', 'nightly'];
    await server.json([...words, 'cat hello.txt'], { cwd });
    page = await browser.open(server, '/schedules');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });
  const card = () => page.getByRole('listitem', { name: 'nightly' });
  const schedule = async () =>
    (await server.json<{ items: Schedule[] }>(['schedule', 'list'])).items.find(
      ({ name }) => name === 'nightly',
    );

  it('show when they run, are paused and resumed', async () => {
    await card()
      .getByText(/^next /)
      .waitFor();
    expect(await card().textContent()).toContain('0 3 * * * Europe/Berlin · cpu · skipped while one runs');
    await card().getByText('It has not run yet.').waitFor();
    await card().getByRole('button', { name: 'Pause' }).click();
    await card().getByText('paused', { exact: true }).waitFor();
    expect(await schedule()).toMatchObject({ paused: true, nextRunAt: null });
    await card().getByRole('button', { name: 'Resume' }).click();
    await card()
      .getByText(/^next /)
      .waitFor();
  });

  it('run at once when asked, on the code as it was, and the job says which made it', async () => {
    await server.cli(['init', 'cats'], { cwd });
    await card().getByRole('button', { name: 'Run now' }).click();
    await page.waitForURL(/\/projects\/cats\/1$/);
    const job = { owner: (await schedule())!.owner, project: 'cats', number: 1 };
    expect((await server.ended(job)).status).toBe('succeeded');
    expect((await server.cli(['logs', '1'], { cwd })).stdout).toContain('from the folder');
    await page.goto(`${page.url()}/details`);
    await page.getByRole('link', { name: 'nightly' }).waitFor();
    await page.getByText('submitted by the schedule nightly').waitFor();
    await page.goto(server.url);
    await page.getByTitle('Submitted by the schedule nightly').waitFor();
    await page.getByRole('link', { name: 'Schedules' }).click();
    await card().getByRole('list', { name: 'Last runs' }).getByRole('link', { name: '#1' }).waitFor();
    await card().getByText('by hand').waitFor();
  });

  it('are deleted after a question, and what the terminal makes shows by itself', async () => {
    await server.json(['schedule', 'create', '--cron', '@daily', '--name', 'daily', 'true'], { cwd });
    await page.getByRole('listitem', { name: 'daily' }).waitFor();
    await card().getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete nightly' }).click();
    await card().waitFor({ state: 'detached' });
    await eventually('it is gone', async () => (await schedule()) === undefined);
    expect(browser.complaints()).toEqual([]);
  });
});
