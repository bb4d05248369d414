// Takes the pictures of docs/images: node scripts/screenshots.mjs LINK [OUT] [PATH…]
//   LINK   what `mycloud open` prints, of a server that has jobs and a dataset to show
//   PATH   pages, as the address has them; without, the lists, and the newest job and dataset
// Each is taken wide (1440) and on a phone (390), light and dark, in Debian's Chromium.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const [link, out = 'docs/images', ...asked] = process.argv.slice(2);
if (!link) {
  process.stderr.write('usage: node scripts/screenshots.mjs LINK [OUT] [PATH…]\n');
  process.exit(2);
}
const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const nameOf = (at) =>
  at
    .replace(/[?#].*$/, '')
    .replace(/^\/|\/$/g, '')
    .replaceAll('/', '-') || 'jobs';

async function usualShots(page) {
  await page.waitForSelector('.row-link');
  const job = await page.locator('.row-link').first().getAttribute('href');
  await page.goto(new URL('/datasets', link).href);
  const dataset = await page.locator('.card-link').first().getAttribute('href');
  return [
    ['jobs', '/'],
    ['job', job],
    ['job-logs', `${job}/logs`],
    ['job-files', `${job}/files`],
    ['job-details', `${job}/details`],
    ['datasets', '/datasets'],
    ['dataset', dataset],
    ['cluster', '/cluster'],
  ];
}

mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--hide-scrollbars'],
});
try {
  const page = await browser.newPage({ viewport: sizes.wide });
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`console: ${message.text()}\n`);
  });
  await page.goto(link);
  await page.waitForSelector('h1');
  const shots = asked.length > 0 ? asked.map((at) => [nameOf(at), at]) : await usualShots(page);
  for (const [name, at] of shots) {
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.goto(new URL(at, link).href);
        await page.waitForSelector('h1');
        // Charts and pictures come a moment after the page.
        await page.waitForTimeout(1200);
        const file = path.join(out, `${name}-${size}-${colorScheme}.png`);
        // So many colours are enough for a page, and a quarter of the bytes.
        await sharp(await page.screenshot())
          .png({ palette: true, quality: 80, dither: 0 })
          .toFile(file);
      }
    }
  }
} finally {
  await browser.close();
}
