import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import type { TestBrowser } from '../../test/support/browser.js';
import { eventually, type TestServer } from '../../test/support/server.js';

const views = 5;

/** From asking for the tab's address until TensorBoard, started for it, shows the training's curves; the server runs one at a time. */
export async function tensorboardViews(server: TestServer, browser: TestBrowser): Promise<number[]> {
  const pictures = path.join(server.folder, 'pictures');
  const project = await server.project('boards');
  await drawDataset(pictures, { train: 8, val: 4, seed: 3 });
  await server.json(['data', 'upload', 'pictures', '--dir', pictures]);
  // The tutorial's network: how much it writes for TensorBoard doesn't depend on the pictures.
  const train = 'train --epochs 3 --train-samples 8 --val-samples 4 --logdir /output/Graph';
  const args = ['run', '--cpu', '--tensorboard', '--data', 'pictures:input', train];
  const jobs: Job[] = [];
  for (let i = 0; i < 2; i++) jobs.push(await server.json<Job>(args, { cwd: project }));
  for (const job of jobs) await server.ended(job, 300);
  const page = await browser.open(server);
  const took: number[] = [];
  for (let i = 0; i < views; i++) {
    const from = performance.now();
    await page.goto(`${server.url}/${jobs[i % 2]!.name}/tensorboard`);
    const frame = page.frameLocator('iframe[title=TensorBoard]');
    const curve = frame.getByText('epoch_loss').first();
    // One that had to make room for the other says so, and waits to be asked.
    const again = page.getByRole('button', { name: 'Start it again' });
    await eventually(
      'TensorBoard is there, or has ended',
      async () => (await again.isVisible()) || (await curve.isVisible()),
    );
    if (await again.isVisible()) await again.click();
    await curve.waitFor();
    took.push(performance.now() - from);
  }
  await page.close();
  return took;
}
