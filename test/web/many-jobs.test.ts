import { type Job, jobRoutes, projectRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

const many = 320;

describe.skipIf(!chromiumPath)('a list of many jobs', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let submit: () => Promise<Job>;

  beforeAll(async () => {
    // Its worker leaves gpu2 alone: the jobs stay in line.
    server = await startServer({
      args: ['--runner', 'process'],
      env: { MYCLOUD_WORKER_MACHINES: 'cpu' },
    });
    browser = await startBrowser();
    const client = await server.client();
    const { owner } = await client.call(projectRoutes.create, { body: { name: 'many' } });
    const params = { owner, project: 'many' };
    submit = () => client.call(jobRoutes.create, { params, body: { command: 'true', machine: 'gpu2' } });
    for (let i = 0; i < many; i += 20) await Promise.all(Array.from({ length: 20 }, submit));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  it('holds only those in sight, gets the others as one comes near, and shows new ones at the top', async () => {
    const page = await browser.open(server);
    await page.getByText('#320', { exact: true }).waitFor();
    const rows = page.locator('.jobs-body .job-row');
    await eventually('the oldest is in sight', async () => {
      await page.mouse.wheel(0, 4000);
      return page.getByText('#1', { exact: true }).isVisible();
    });
    expect(await rows.count()).toBeLessThan(80);
    await page.keyboard.press('Home');
    const job = await submit();
    await page.getByText(`#${job.number}`, { exact: true }).waitFor();
    await rows.first().getByText(`#${job.number}`, { exact: true }).waitFor();
    expect(browser.complaints()).toEqual([]);
    await page.close();
  });

  it('tells on the page of the cluster why they wait', async () => {
    const page = await browser.open(server, '/cluster');
    await page
      .getByText(/in line for gpu2|no worker offers gpu2/)
      .first()
      .waitFor();
    await page.close();
  });
});
