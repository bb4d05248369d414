// Takes the pictures of docs/images: node scripts/screenshots.mjs LINK [OUT] [PATH…]
//   LINK   what `mycloud open` prints, of a server that has jobs to show
//   PATH   pages, as the address has them; without, the first job's tabs, the lists and the first dataset
// Each is taken wide (1440) and on a phone (390), light and dark, in Debian's Chromium.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [link, out = 'docs/images', ...asked] = process.argv.slice(2);
if (!link) {
  process.stderr.write('usage: node scripts/screenshots.mjs LINK [OUT] [PATH…]\n');
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--hide-scrollbars'],
});
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`console: ${message.text()}\n`);
  });
  await page.goto(link);
  await page.waitForSelector('h1');
  const paths = asked.length > 0 ? asked : await usualPaths(page);
  for (const at of paths) {
    for (const [size, width, height] of [
      ['wide', 1440, 900],
      ['phone', 390, 844],
    ]) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.goto(new URL(at, link).href);
        await page.waitForSelector('h1');
        // Charts and pictures come a moment after the page.
        await page.waitForTimeout(1200);
        const name =
          at
            .replace(/[?#].*$/, '')
            .replace(/^\/|\/$/g, '')
            .replaceAll('/', '-') || 'jobs';
        await page.screenshot({ path: path.join(out, `${name}-${size}-${colorScheme}.png`) });
      }
    }
  }
} finally {
  await browser.close();
}

async function usualPaths(page) {
  await page.waitForSelector('.row-link');
  const hrefs = await page
    .locator('.row-link')
    .evaluateAll((links) => links.map((a) => a.getAttribute('href')));
  const job = hrefs.at(-1);
  await page.goto(new URL('/datasets', link).href);
  await page.waitForSelector('h1');
  const dataset = await page.locator('.card-link').first().getAttribute('href');
  return ['/', job, `${job}/logs`, `${job}/files`, `${job}/details`, '/datasets', dataset, '/cluster'];
}
