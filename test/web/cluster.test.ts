import type { Job, WorkerInfo } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { type FakeGpus, fakeGpus } from '../support/fake-gpus.js';
import { startServer, type TestServer } from '../support/server.js';

describe.skipIf(!chromiumPath)('the cluster', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let gpus: FakeGpus;
  let running: Job;
  let waiting: Job;
  let name: string;

  beforeAll(async () => {
    gpus = fakeGpus(1);
    gpus.cards([`0, ${gpus.uuids[0]}, NVIDIA H100, 81559, 40779, 37`]);
    server = await startServer({
      args: ['--runner', 'process'],
      env: { ...gpus.env, MYCLOUD_SLOTS: '1' },
    });
    browser = await startBrowser();
    const project = await server.project('cats');
    running = await server.json<Job>(['run', '--gpu', 'sleep 600'], { cwd: project });
    waiting = await server.json<Job>(['run', '--gpu', 'true'], { cwd: project });
    const { items } = await server.json<{ items: WorkerInfo[] }>(['workers']);
    name = items[0]!.name;
    page = await browser.open(server, '/cluster');
  });
  afterAll(async () => {
    await browser?.close();
    if (running) await server.cli(['stop', running.name]);
    await server?.remove();
    gpus?.remove();
  });

  it('shows what a worker runs and how busy its computer is, GPUs too', async () => {
    await page.getByText(`runs ${running.name}`).waitFor();
    await page.locator('.meter .number', { hasText: '39.8 GiB of 79.6 GiB' }).waitFor();
    expect(await page.getByRole('meter', { name: 'GPU 0', exact: true }).getAttribute('value')).toBe('37');
    expect(await page.getByRole('meter', { name: 'CPU' }).getAttribute('value')).toMatch(/^\d/);
  });

  it('shows who waits, at which place and why', async () => {
    const row = page.getByRole('list', { name: 'Queue' }).getByRole('listitem').first();
    await row.getByRole('link', { name: waiting.name }).waitFor();
    expect(await row.textContent()).toContain(
      `1st in line for gpu; 1 worker offers gpu, busy with ${running.name}`,
    );
    expect((await server.cli(['queue'])).stdout).toContain('1st in line for gpu');
  });

  it('drains a worker by its name, which then takes nothing new, and takes that back', async () => {
    await page.getByRole('button', { name: 'Drain', exact: true }).click();
    await page
      .getByRole('dialog', { name: `Drain ${name}?` })
      .getByText('finishes the 1 job it has')
      .waitFor();
    await page.getByRole('button', { name: `Drain ${name}` }).click();
    await page.getByText('takes nothing new', { exact: true }).waitFor();
    await server.cli(['stop', running.name]);
    await page.getByText('drained', { exact: true }).waitFor();
    await page.getByText(`every worker that offers gpu is being drained (${name})`).waitFor();
    expect((await server.cli(['workers'])).stdout).toContain('here, draining');
    const undrained = await server.cli(['workers', 'undrain', name]);
    expect(undrained.stdout).toContain('takes jobs again');
    await page.getByText('Nothing waits.').waitFor();
    const unknown = await server.cli(['workers', 'drain', `${name}x`]);
    expect(unknown.stderr).toContain(`Did you mean ${name}?`);
    expect(browser.complaints()).toEqual([]);
  });
});
