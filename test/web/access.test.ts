import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Job, jobRoutes } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { startServer, type TestServer } from '../support/server.js';

/** Evaluated as the browser's own tools do: the page's policy lets no script in that isn't its own. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(!chromiumPath)('the page is usable by everybody', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let job: Job;
  /** Of three jobs that are compared. */
  let names: string;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 4, val: 4, seed: 3 });
    await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    const project = await server.project('cats');
    const command = `echo '{"metric": "loss", "value": 1, "step": 1}'; printf '\\033[31mred\\033[0m\\n'; echo text > output/a.txt; exit 3`;
    job = await server.json<Job>(['run', '--cpu', '--data', 'dogsvscats:input', command], { cwd: project });
    const schedule = ['schedule', 'create', '--cron', '0 3 * * *', '--name', 'nightly', 'true'];
    await server.json(schedule, { cwd: project });
    await server.json(['schedule', 'run', 'nightly'], { cwd: project });
    const client = await server.client();
    const params = { owner: job.owner, project: job.project, number: job.number };
    await server.ended(job);
    const others = ['true --lr 0.1', 'true --lr 0.2'].map((other) =>
      client.call(jobRoutes.restart, {
        params,
        body: { command: `${command.split(';')[0]}; ${other}`, tags: ['t'] },
      }),
    );
    names = [job, ...(await Promise.all(others))].map((one) => one.name).join(',');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const places = [
    '/',
    'JOB',
    'JOB/logs',
    'JOB/files?file=a.txt',
    'JOB/tensorboard',
    'JOB/details',
    '/datasets',
    'DATASET',
    '/schedules',
    '/cluster',
    '/compare?jobs=JOBS',
    '/account',
  ];
  for (const colorScheme of ['light', 'dark'] as const) {
    it.each(places)(`axe finds nothing serious, ${colorScheme}: %s`, async (place) => {
      const at = place
        .replace('JOBS', names)
        .replace('JOB', `/${job.name}`)
        .replace('DATASET', `/${job.owner}/datasets/dogsvscats`);
      const page = await browser.open(server, at);
      await page.emulateMedia({ colorScheme });
      await page.locator('.loading').first().waitFor({ state: 'detached' });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
      );
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual(
        [],
      );
      await page.close();
    });
  }

  it('fits a phone: nothing makes it scroll sideways', async () => {
    for (const place of places) {
      const at = place
        .replace('JOBS', names)
        .replace('JOB', `/${job.name}`)
        .replace('DATASET', `/${job.owner}/datasets/dogsvscats`);
      const page = await browser.open(server, at);
      await page.setViewportSize({ width: 360, height: 740 });
      const [wide, seen] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(wide, at).toBeLessThanOrEqual(seen);
      await page.close();
    }
  }, 150_000);
});
