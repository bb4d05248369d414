import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { datasetRoutes, type Job } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { startServer, type TestServer } from '../support/server.js';

/** A training as the tutorial's, an event file that breaks off, and what calls itself HDF5 and isn't. */
const command = `
train --epochs 2 --train-samples 8 --val-samples 4 --batch-size 4 --image-size 32 --logdir /output/Graph &&
mkdir -p output/model && cp output/weights.hdf5 output/model/ && cp sheet.png output/ &&
head -c -9 "$(find output/Graph/ -name '*tfevents*' | head -1)" > output/cut.tfevents &&
echo 'no HDF5 at all' > output/model/fake.h5`;

describe.skipIf(!chromiumPath)('the files of a job', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let job: Job;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 8, val: 4, seed: 3 });
    await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
    const project = await server.project('cats');
    const sheet = sharp({ create: { width: 2400, height: 1800, channels: 3, background: '#a63' } });
    await sheet.png().toFile(path.join(project, 'sheet.png'));
    const args = ['run', '--cpu', '--data', 'dogsvscats:input', command];
    job = await server.json<Job>(args, { cwd: project });
    const ended = await server.ended(job, 180);
    expect(ended.message, (await server.cli(['logs', job.name])).stdout).toBe('finished');
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const open = (file: string) => browser.open(server, `/${job.name}/files?file=${file}`);
  const close = async (page: Page) => {
    expect(browser.complaints()).toEqual([]);
    await page.close();
  };

  it('shows the shapes of the weights, and what Keras wrote about them', async () => {
    const page = await open('weights.hdf5');
    const kernel = page.getByRole('row', { name: /^kernel:0/ }).first();
    await kernel.waitFor();
    expect(await kernel.textContent()).toContain('3 × 3 × 3 × 32');
    expect(await kernel.textContent()).toContain('float32');
    await page.getByText('layer_names').first().waitFor();
    await page.getByText(/10 datasets, [\d,]+ numbers in all/).waitFor();
    await close(page);
  });

  it('says of what is no HDF5 file that it is none', async () => {
    const page = await open('model/fake.h5&folder=model');
    await page.getByText('This can’t be read as HDF5').waitFor();
    await close(page);
  });

  it('draws the scalars of an event file, and of one that is cut short what can be read', async () => {
    const page = await open('cut.tfevents');
    await page.getByText('The file is cut short, inside a record').waitFor();
    const drawn = JSON.parse(
      (await page.locator('.preview figure').first().getAttribute('data-series')) ?? '[]',
    );
    expect(drawn[0].total).toBeGreaterThan(0);
    await page.locator('.preview canvas').first().waitFor();
    await close(page);
  });

  it('shows a sheet of pictures to fit, and at its full size', async () => {
    const page = await open('sheet.png');
    await page.getByText('2400 × 1800 pixels').waitFor();
    const width = () => page.locator('.preview img').evaluate((image) => image.getBoundingClientRect().width);
    expect(await width()).toBeLessThan(1000);
    await page.getByRole('button', { name: 'Full size' }).click();
    expect(await width()).toBe(2400);
    await close(page);
  });

  it('gives a folder as one file', async () => {
    const page = await browser.open(server, `/${job.name}/files?folder=model`);
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name: 'This folder as zip' }).click();
    const got = await coming;
    expect(got.suggestedFilename()).toBe('model.zip');
    const bytes = await readFile(await got.path());
    expect(bytes.includes('weights.hdf5')).toBe(true);
    await page.close();
    browser.complaints();
  });

  it('becomes a dataset, by a dialog that names it, and its next version the second time', async () => {
    const page = await browser.open(server, `/${job.name}/files?folder=model`);
    const make = async (says: string) => {
      await page.getByRole('button', { name: 'Make a dataset of this' }).click();
      await page.getByText(`${job.name}/output`, { exact: false }).first().waitFor();
      await page.getByRole('combobox', { name: 'Dataset' }).fill('trained');
      await page.getByText(says).waitFor();
      await page.getByRole('button', { name: 'Make trained' }).click();
    };
    await make('It becomes a new dataset, ');
    await page.getByRole('link', { name: `${job.owner}/datasets/trained/1` }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '/output' }).click();
    await make('It becomes the version after ');
    await page.getByRole('link', { name: `${job.owner}/datasets/trained/2` }).click();
    await page.getByRole('heading', { name: 'trained' }).waitFor();
    const client = await server.client();
    const params = { owner: job.owner, dataset: 'trained' };
    const { items } = await client.call(datasetRoutes.versions, { params });
    expect(items.map(({ number, files }) => [number, files])).toEqual([
      [2, expect.any(Number)],
      [1, 2],
    ]);
    await close(page);
  });
});
