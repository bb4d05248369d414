import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSite } from '../scripts/docs/build.js';
import { slugOf } from '../scripts/docs/markdown.js';
import { chromiumPath } from './support/browser.js';

const root = path.resolve(import.meta.dirname, '..');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let base: string;
let site: string;
beforeAll(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'mycloud-docs-'));
  site = path.join(base, 'site');
});
afterAll(() => rm(base, { recursive: true, force: true }));

describe('the documentation as a site', () => {
  it('has every document, and no link that leads nowhere', () => {
    expect(buildSite(root, site)).toEqual([]);
    const pages = readFileSync(path.join(site, 'index.html'), 'utf8');
    for (const file of readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'))) {
      const slug = file === 'quick-start.md' ? 'index' : path.basename(file, '.md');
      expect(pages, file).toContain(`href="${slug}.html"`);
    }
  });

  it('says which link leads nowhere, be it a file or a heading', async () => {
    const other = path.join(base, 'other');
    for (const folder of ['docs', 'apps/web/src']) mkdirSync(path.join(other, folder), { recursive: true });
    await writeFile(path.join(other, 'package.json'), '{"version":"1.2.3"}');
    await writeFile(path.join(other, 'apps/web/src/icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const text = '# Quick start\n\n[a](gone.md) [b](#nowhere) [c](added.md#there) [d](added.md#not-there)\n';
    await writeFile(path.join(other, 'docs/quick-start.md'), text);
    await writeFile(path.join(other, 'docs/added.md'), '# Added\n\n## There\n');
    expect(buildSite(other, path.join(base, 'broken'))).toEqual([
      'docs/quick-start.md: gone.md is not there',
      'index.html: gone.md is not there',
      'index.html: #nowhere has no such heading',
      'index.html: added.html#not-there has no such heading',
    ]);
    expect(existsSync(path.join(base, 'broken/added.html'))).toBe(true);
  });

  it('names headings as GitHub does, so that links work in both places', () => {
    const taken = new Set<string>();
    expect(slugOf('What a job sees', taken)).toBe('what-a-job-sees');
    expect(slugOf("floyd's commands, and ours", taken)).toBe('floyds-commands-and-ours');
    expect(slugOf('What a job sees', taken)).toBe('what-a-job-sees-1');
  });
});

describe.skipIf(!chromiumPath)('the site in a browser, opened from its folder', () => {
  let browser: Browser;
  beforeAll(async () => {
    buildSite(root, site);
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  const open = async (slug: string, options: Parameters<Browser['newPage']>[0] = {}) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    await page.goto(pathToFileURL(path.join(site, `${slug}.html`)).href);
    return page;
  };

  it('finds a word, and goes there by keys alone', async () => {
    const page = await open('index');
    await page.keyboard.press('/');
    await page.keyboard.type('hdf5 weights');
    await page.getByRole('option').filter({ hasText: 'The weights' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\.html#/);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    await page.close();
  });

  it('is dark where the system is, and light once one says so, on the next page too', async () => {
    const page = await open('index', { colorScheme: 'dark' });
    const theme = () => page.locator('html').getAttribute('data-theme');
    expect(await theme()).toBe('dark');
    await page.getByRole('button', { name: 'Light' }).click();
    await page.getByRole('link', { name: 'Concepts' }).first().click();
    await page.waitForURL(/concepts/);
    expect(await theme()).toBe('light');
    await page.close();
  });

  it.each(['index', 'commands', 'api-reference', 'cli'])('%s fits a phone', async (slug) => {
    const page = await open(slug, { viewport: { width: 360, height: 740 } });
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(360);
    await page.getByRole('button', { name: 'Pages' }).click();
    await page.getByRole('navigation', { name: 'Pages', exact: true }).getByText('Recipes').waitFor();
    await page.close();
  });

  it.each(
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      ['index', 'concepts', 'commands', 'readme'].map((slug) => ({ colorScheme, slug })),
    ),
  )('axe finds nothing, $colorScheme: $slug', async ({ colorScheme, slug }) => {
    const page = await open(slug, { colorScheme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
    );
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html).slice(0, 3)])).toEqual([]);
    await page.close();
  });
});
