import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { datasetRoutes } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

describe.skipIf(!chromiumPath)('a folder dropped on the page', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let owner: string;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** A folder with many small files, large ones that are cut, what is ignored, and names of every kind. */
  async function makeFolder(name: string, megabytes: number): Promise<string> {
    const dir = path.join(server.folder, name);
    await mkdir(path.join(dir, 'train/cats'), { recursive: true });
    await mkdir(path.join(dir, 'scratch'));
    for (let i = 0; i < 120; i++)
      await writeFile(path.join(dir, `train/cats/${i}.bin`), randomBytes(2000 + i));
    for (let i = 0; i < megabytes / 8; i++)
      await writeFile(path.join(dir, `large-${i}.bin`), randomBytes(8_000_000 + i));
    await writeFile(path.join(dir, 'at-the-limit.bin'), randomBytes(1024 * 1024));
    await writeFile(path.join(dir, 'past-it.bin'), randomBytes(1024 * 1024 + 1));
    await writeFile(path.join(dir, 'empty'), '');
    await writeFile(path.join(dir, '～ \u{1F600} name'), 'x');
    await writeFile(path.join(dir, 'scratch/left-out.bin'), randomBytes(3_000_000));
    await writeFile(path.join(dir, '.mycloudignore'), 'scratch/\n*.tmp\n');
    await writeFile(path.join(dir, 'a.tmp'), 'left out');
    return dir;
  }

  /** Chooses a folder by the button, as a keyboard does, and says yes. */
  async function upload(page: Page, dir: string, name?: string): Promise<void> {
    await page.getByLabel('Folder to upload').setInputFiles(dir);
    await page.getByRole('heading', { name: `Upload ${path.basename(dir)}` }).waitFor();
    if (name) await page.getByRole('combobox', { name: 'Dataset' }).fill(name);
    await page.getByRole('button', { name: `Upload to ${name ?? ''}` }).click();
  }

  /** Bytes of packs that the pages announced, as each is before it is sent to the store, wherever that is. */
  function countSent(page: Page): () => number {
    let sent = 0;
    page.context().on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/v1/packs'))
        sent += (request.postDataJSON() as { size: number }).size;
    });
    return () => sent;
  }

  it('that the command line has uploaded sends nothing, and is the same version', async () => {
    const dir = await makeFolder('pets', 16);
    const version = await server.json<{ name: string; files: number }>([
      'data',
      'upload',
      'pets',
      '--dir',
      dir,
    ]);
    owner = version.name.split('/')[0]!;
    const page = await browser.open(server, '/datasets');
    const sent = countSent(page);
    await upload(page, dir, 'pets');
    await page.getByRole('link', { name: `${owner}/datasets/pets/1` }).waitFor();
    await page.getByText('Nothing had to be sent').waitFor();
    expect(sent()).toBe(0);
    expect(browser.complaints()).toEqual([]);
    await page.close();
  });

  it('is a new dataset that the command line finds stored whole; its next version sends what is new', async () => {
    const dir = await makeFolder('birds', 16);
    const page = await browser.open(server, '/datasets');
    await upload(page, dir);
    await page.getByRole('link', { name: `${owner}/datasets/birds/1` }).click();
    await page.getByRole('heading', { name: 'birds' }).waitFor();
    const again = await server.json<{ name: string }>(['data', 'upload', 'birds', '--dir', dir]);
    expect(again.name).toBe(`${owner}/datasets/birds/1`);
    const back = path.join(server.folder, 'back');
    await server.cli(['data', 'clone', 'birds', back]);
    const cloned = await server.json<{ name: string }>(['data', 'upload', 'birds', '--dir', back]);
    expect(cloned.name).toBe(`${owner}/datasets/birds/1`);

    await rm(path.join(dir, 'train/cats/3.bin'));
    await writeFile(path.join(dir, 'new.bin'), randomBytes(5000));
    const sent = countSent(page);
    await upload(page, dir, 'birds');
    await page.getByRole('link', { name: `${owner}/datasets/birds/2` }).waitFor();
    expect(sent()).toBe(5000);
    expect(browser.complaints()).toEqual([]);
    await page.close();
  });

  it('goes on where it was when its tab was closed: only what is missing is sent', async () => {
    const dir = await makeFolder('fish', 64);
    const page = await browser.open(server, '/datasets');
    const sent = countSent(page);
    let packs = 0;
    // The line gets slow after two packs.
    await page.context().route('**', async (route) => {
      const isPack = route.request().method() === 'PUT';
      if (isPack) packs += 1;
      if (isPack && packs > 2) await new Promise((resolve) => setTimeout(resolve, 600_000).unref());
      await route.continue().catch(() => undefined);
    });
    await upload(page, dir, 'fish');
    await page.getByRole('progressbar').waitFor();
    await eventually('two packs are stored', async () => packs > 2 && sent() > 0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.close({ runBeforeUnload: false });
    await browser.context.unroute('**');

    const other = await browser.open(server, '/datasets');
    const rest = countSent(other);
    await upload(other, dir, 'fish');
    await other.getByRole('link', { name: `${owner}/datasets/fish/1` }).waitFor();
    const client = await server.client();
    const { bytes } = await client.call(datasetRoutes.version, {
      params: { owner, dataset: 'fish', number: 1 },
    });
    expect(rest()).toBeGreaterThan(bytes / 4);
    expect(rest()).toBeLessThan(bytes - 8_000_000);
    await other.close();
    browser.complaints();
  });
});
