import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><script>parent.hacked=1;alert(1)</script><rect width="40" height="40" fill="red"/></svg>`;

/** Writes what a page might choke on. */
const command = `
mkdir -p output/deep &&
cp hostile.svg notes.html table.csv facts.json output/ &&
head -c 400000 /dev/zero | tr '\\0' 'a' > output/huge.txt && truncate -s 2G output/huge.txt &&
printf '\\0\\1\\2' > output/deep/weights.bin &&
echo '${evil}' && printf '\\033]8;;javascript:alert(1)\\033\\\\link\\033]8;;\\033\\\\\\n' &&
echo '{"metric": "<b>loss", "value": 1, "step": 1}'`;

describe.skipIf(!chromiumPath)('what users write is shown by the page and never run', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let job: Job;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const project = await server.project('evil', {
      'hostile.svg': svg,
      'notes.html': evil,
      'table.csv': 'name,value\n"a, quoted",1\n"<b>x</b>",2\n',
      'facts.json': '{"a":{"b":[1,2]}}',
    });
    job = await server.json<Job>(['run', '--cpu', '-m', evil, command], { cwd: project });
    const ended = await server.ended(job, 180);
    expect(ended.message).toBe('finished');
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const open = async (at: string) => browser.open(server, at && `/${job.name}${at}`);
  const untouched = async (page: { evaluate<T>(work: () => T): Promise<T> }) => {
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(browser.complaints()).toEqual([]);
  };

  it('a description that is HTML, in the list and on its page', async () => {
    const page = await open('');
    await page.getByText(evil).first().waitFor();
    await untouched(page);
    await page.goto(`${server.url}/${job.name}`);
    await page.locator('.job-text', { hasText: '<script>' }).waitFor();
    await page.getByRole('heading', { name: '<b>loss' }).waitFor();
    await untouched(page);
    await page.close();
  });

  it('a log line that is a script, or a link by escapes', async () => {
    const page = await open('/logs');
    await page.locator('.line-text', { hasText: '<script>window.hacked=1</script>' }).waitFor();
    expect(await page.locator('.log a[href^="javascript"]').count()).toBe(0);
    await untouched(page);
    await page.close();
  });

  it('an SVG that holds a script, as a picture; by its address, as a download', async () => {
    const page = await open('/files?file=hostile.svg');
    await eventually('it is drawn', () =>
      page
        .locator('.picture')
        .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 40),
    );
    await untouched(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('hostile.svg');
    await page.close();
  });

  it('a page of theirs, as text', async () => {
    const page = await open('/files?file=notes.html');
    await page.locator('pre', { hasText: '<script>' }).waitFor();
    await untouched(page);
    await page.close();
  });

  it('a text of 2 GB, of which a part is got', async () => {
    const page = await open('/files?file=huge.txt');
    await page.getByText('The first 262.1 KB of 2.1 GB.').waitFor();
    expect((await page.locator('pre').textContent())?.length).toBe(262_144);
    await untouched(page);
    await page.close();
  });

  it('a table, facts, and what is no text', async () => {
    const page = await open('/files?file=table.csv');
    await page.getByRole('cell', { name: 'a, quoted' }).waitFor();
    await page.getByRole('button', { name: /facts\.json/ }).click();
    await page.locator('pre', { hasText: '"b": [' }).waitFor();
    await page.getByRole('button', { name: /deep/ }).click();
    await page.getByRole('button', { name: /weights\.bin/ }).click();
    await page.getByText('A binary file').waitFor();
    await untouched(page);
    await page.close();
  });
});
