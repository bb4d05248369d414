import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

const many = 3000;

describe.skipIf(!chromiumPath)('a dataset with versions', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let job: Job;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const dir = path.join(server.folder, 'pets');
    await mkdir(path.join(dir, 'gone'), { recursive: true });
    await writeFile(path.join(dir, 'kept.txt'), 'same');
    await writeFile(path.join(dir, 'edited.txt'), 'x'.repeat(1000));
    await writeFile(path.join(dir, 'gone/1.txt'), 'y'.repeat(2000));
    await server.json(['data', 'upload', 'pets', '--dir', dir]);
    await rm(path.join(dir, 'gone'), { recursive: true });
    await writeFile(path.join(dir, 'edited.txt'), 'x'.repeat(3000));
    await mkdir(path.join(dir, 'new'));
    for (let i = 0; i < many; i++)
      await writeFile(path.join(dir, `new/${String(i).padStart(5, '0')}.txt`), `${i}`);
    await server.json(['data', 'upload', 'pets', '--dir', dir]);
    const project = await server.project('cats');
    job = await server.json<Job>(['run', '--cpu', '--data', 'pets/1:input', 'true'], { cwd: project });
    page = await browser.open(server, `/${job.owner}/datasets/pets`);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  it('shows what changed since the one before, thousands of paths too, with sizes', async () => {
    await page.getByText('3,001 paths added').waitFor();
    await page.getByText('2 paths removed').waitFor();
    await page.locator('.change', { hasText: 'edited.txt' }).getByText('1.0 KB → 3.0 KB').waitFor();
    const list = page.getByRole('list', { name: 'What changed' });
    expect(await list.locator('li').count()).toBeLessThan(100);
    // Further ones are got as the end comes near.
    await eventually('the last path is in sight', async () => {
      await list.evaluate((ul) => ul.parentElement!.scrollTo(0, 1e9));
      return page.locator('.change', { hasText: `new/0${many - 1}.txt` }).isVisible();
    });
  });

  it('shows which jobs mount a version', async () => {
    await page.getByRole('link', { name: /Version 1/ }).click();
    await page.waitForURL(/pets\/1$/);
    await page.getByRole('link', { name: job.name }).waitFor();
    await page.getByRole('link', { name: /Version 2/ }).click();
    await page.getByText('No job that you may see mounts it').waitFor();
  });

  it('is deleted a version at a time, or whole, by its name, having said who uses it', async () => {
    await page.getByRole('link', { name: /Version 1/ }).click();
    await page.getByRole('button', { name: 'Delete this version' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete ${job.owner}/datasets/pets/1?` });
    await dialog.getByRole('link', { name: job.name }).waitFor();
    await dialog.getByRole('button', { name: `Delete ${job.owner}/datasets/pets/1` }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /Version 1/ }).waitFor({ state: 'detached' });
    await page.getByText('There is no other version').waitFor();
    await page.getByRole('button', { name: 'Delete the dataset' }).click();
    await page.getByRole('button', { name: `Delete ${job.owner}/datasets/pets`, exact: true }).click();
    await page.getByText('No datasets yet').waitFor();
    expect(browser.complaints()).toEqual([]);
  });
});
