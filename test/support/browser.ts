import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { requireProgram, wantProgram } from './require.js';
import type { TestServer } from './server.js';

/** Debian's Chromium, or undefined where there is none: `describe.skipIf(!chromiumPath)`. */
export const chromiumPath = wantProgram('chromium', ['/usr/bin/chromium']);

export interface TestBrowser {
  context: BrowserContext;
  /** A page of the server, logged in by a link as a person gets it. */
  open(server: TestServer, path?: string): Promise<Page>;
  /** What pages complained of: refused scripts, exceptions, failed requests. Emptied by reading. */
  complaints(): string[];
  close(): Promise<void>;
}

export async function startBrowser(): Promise<TestBrowser> {
  const executablePath = chromiumPath ?? requireProgram('chromium');
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(30_000);
  let said: string[] = [];
  let loggedIn = false;
  return {
    context,
    async open(server, path = '/') {
      const page = await context.newPage();
      page.on('console', (message) => message.type() === 'error' && said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('dialog', (dialog) => {
        said.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      if (!loggedIn) {
        await page.goto((await server.json<{ url: string }>(['open'])).url);
        await page.getByRole('heading', { level: 1 }).waitFor();
        loggedIn = true;
      }
      await page.goto(server.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      return page;
    },
    complaints() {
      const all = said;
      said = [];
      return all;
    },
    close: () => browser.close(),
  };
}
