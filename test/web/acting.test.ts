import { createClient, type Job, jobRoutes, userRoutes } from '@mycloud/shared';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

const evil = '<script>window.hacked=1</script>';

describe.skipIf(!chromiumPath)('acting on the page', () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let job: Job;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    browser = await startBrowser();
    const project = await server.project('cats', {
      'say.mjs': 'console.log(process.env.WORD, process.argv[2])',
    });
    job = await server.json<Job>(['run', '--cpu', '--var', 'WORD=hunter2', 'node say.mjs one'], {
      cwd: project,
    });
    await server.ended(job);
    page = await browser.open(server, `/${job.name}`);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  const look = async (number: number) => {
    const client = await server.client();
    const params = { owner: job.owner, project: job.project, number };
    return client.call(jobRoutes.get, { params });
  };
  const toast = (text: string) => page.locator('.toast', { hasText: text });
  const untouched = async () => {
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(browser.complaints()).toEqual([]);
  };

  it('tags a job, takes a tag off, and undoes it', async () => {
    await page.getByRole('button', { name: 'tag', exact: true }).click();
    await page.keyboard.type(`best ${evil}`);
    await page.keyboard.press('Enter');
    await toast('Tagged best').waitFor();
    expect((await look(1)).tags).toEqual(['best', evil]);
    await page.getByRole('button', { name: 'Take the tag best off' }).click();
    await toast('The tag best was taken off').waitFor();
    expect((await look(1)).tags).toEqual([evil]);
    await toast('best').getByRole('button', { name: 'Undo' }).click();
    await toast('Undone').waitFor();
    expect((await look(1)).tags).toEqual(['best', evil]);
    await page.getByRole('link', { name: 'best' }).click();
    await page.waitForURL(/projects\/cats\?tag=best/);
    await page.locator('.row-link').click();
    await untouched();
  });

  it('shows at once what it could not save as it was, and says why', async () => {
    await page.getByRole('button', { name: 'tag', exact: true }).click();
    await page.keyboard.type('x'.repeat(61));
    await page.keyboard.press('Enter');
    await toast('Not saved').waitFor();
    await eventually('the tag is gone', async () => (await page.locator('.tags .tag').count()) === 2);
    expect((await look(1)).tags).toEqual(['best', evil]);
    browser.complaints();
  });

  it('writes a note, which is text whatever it holds, and loses none to who wrote meanwhile', async () => {
    await page.getByRole('button', { name: 'Add a note' }).click();
    await page.getByLabel('note', { exact: true }).fill(`worked\n${evil}`);
    await page.keyboard.press('Control+Enter');
    await toast('The note was saved').waitFor();
    expect((await look(1)).note).toBe(`worked\n${evil}`);
    await page.locator('.job-note', { hasText: '<script>' }).waitFor();
    await page.getByRole('button', { name: 'Edit the note' }).click();
    const field = page.getByLabel('note', { exact: true });
    await field.fill('mine');
    // The page hears of it too late: the state it edits is the one it showed.
    await page.route(
      '**/jobs/1',
      (route) =>
        route.fulfill({
          status: 412,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            code: 'changed_meanwhile',
            detail: 'it was changed meanwhile',
            hint: 'Look again.',
          }),
        }),
      { times: 1 },
    );
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('it was changed meanwhile').waitFor();
    expect(await field.inputValue()).toBe('mine');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.job-note', { hasText: '<script>' }).waitFor();
    browser.complaints();
    await untouched();
  });

  it('runs it again with changes, showing the command, and hands its variables on unseen', async () => {
    await page.getByRole('button', { name: 'Run again' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Command' }).fill('node say.mjs two');
    await form.getByLabel('Max runtime').fill('soon');
    await form.getByRole('alert').getByText('30m').waitFor();
    expect(await form.getByRole('button', { name: 'Run it' }).isDisabled()).toBe(true);
    await form.getByLabel('Max runtime').fill('10m');
    await form.getByRole('button', { name: 'variable' }).click();
    await form.getByLabel('Name of variable 1').fill('MORE');
    await form.getByLabel('Value of variable 1').fill('secret');
    await form
      .getByText(`mycloud restart ${job.name} --var MORE --max-runtime 10m 'node say.mjs two'`)
      .waitFor();
    expect(await page.content()).not.toContain('hunter2');
    await form.getByRole('button', { name: 'Run it' }).click();
    await page.getByRole('heading', { name: 'cats #2' }).waitFor();
    const again = await server.ended({ ...job, number: 2 });
    expect(again).toMatchObject({
      status: 'succeeded',
      command: 'node say.mjs two',
      envNames: ['MORE', 'WORD'],
      maxRuntimeSeconds: 600,
      tags: ['best', evil],
      codeSnapshotId: job.codeSnapshotId,
    });
    await page.keyboard.press('2');
    await page.locator('.line-text', { hasText: 'hunter2 two' }).waitFor();
    await page.keyboard.press('5');
    await page.locator('code', { hasText: 'MORE, WORD' }).waitFor();
    await untouched();
  });

  it('says what the server refuses, and keeps the form', async () => {
    await page.getByRole('button', { name: 'Run again' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('button', { name: 'mount', exact: true }).click();
    await form.getByLabel('Source 1').fill('nothing/1');
    await form.getByRole('button', { name: 'Run it' }).click();
    await form.getByRole('alert').getByText('there is no dataset').waitFor();
    expect(await form.getByLabel('Source 1').inputValue()).toBe('nothing/1');
    await form.getByRole('button', { name: 'Cancel' }).click();
    browser.complaints();
  });

  it('deletes a job, having asked by name, also from a list that is open elsewhere', async () => {
    const other = await browser.open(server);
    await other.getByRole('link', { name: /cats #2/ }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: `Delete ${job.name.replace(/1$/, '2')}?` }).waitFor();
    await page.getByRole('button', { name: 'Delete the job' }).click();
    await toast('was deleted').waitFor();
    await page.waitForURL(/projects\/cats$/);
    await other.getByRole('link', { name: /cats #2/ }).waitFor({ state: 'detached' });
    await other.getByRole('link', { name: /cats #1/ }).waitFor();
    await other.close();
    await untouched();
  });

  it('refuses with a word to delete one that has not ended', async () => {
    const client = await server.client();
    const params = { owner: job.owner, project: job.project };
    const body = { command: 'sleep 60', machine: 'cpu' };
    const running = await client.call(jobRoutes.create, { params, body });
    await page.goto(`${server.url}/${running.name}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('It has not ended. Stop it first').waitFor();
    expect(await page.getByRole('button', { name: 'Delete the job' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Keep it' }).click();
    await client.call(jobRoutes.stop, { params: { ...params, number: running.number } });
    await server.ended(running);
  });

  it('describes the project, and undoes it', async () => {
    await page.goto(`${server.url}/${job.owner}/projects/cats`);
    await page.getByRole('button', { name: 'Add a description' }).click();
    await page.keyboard.type(evil);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.job-text', { hasText: '<script>' }).waitFor();
    await toast('was changed').getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Add a description' }).waitFor();
    await untouched();
  });

  it('makes a token, shows it once, and revokes it at once', async () => {
    await page.getByRole('link', { name: job.owner, exact: true }).click();
    await page.getByRole('heading', { name: 'Account' }).waitFor();
    await page.getByPlaceholder('what it is for').fill(evil);
    await page.getByLabel('How long it is valid').selectOption('for 7 days');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const secret = (await page.locator('.new-secret code').textContent()) ?? '';
    const bearer = createClient({ url: server.url, token: secret });
    expect((await bearer.call(userRoutes.me, {})).name).toBe(job.owner);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.reload();
    const row = page.getByRole('row', { name: /window\.hacked/ });
    await row.getByText(`…${secret.slice(-4)}`).waitFor();
    expect(await page.content()).not.toContain(secret);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('heading', { name: `(…${secret.slice(-4)})?` }).waitFor();
    await page.getByRole('button', { name: 'Revoke the token' }).click();
    await row.waitFor({ state: 'detached' });
    await expect(bearer.call(userRoutes.me, {})).rejects.toThrow('revoked');
    await untouched();
  });
});
