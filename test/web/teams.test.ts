import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { datasetRoutes, type Job, teamRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, startBrowser, type TestBrowser } from '../support/browser.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

describe.skipIf(!chromiumPath)('people and teams on the page', () => {
  let server: TestServer;
  /** The admin's browser, and a stranger's. */
  let browser: TestBrowser;
  let stranger: TestBrowser;

  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
    [browser, stranger] = await Promise.all([startBrowser(), startBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), stranger?.close()]);
    await server?.remove();
  });

  it('an admin makes a team and invites somebody into it, who becomes a user by the link', async () => {
    const page = await browser.open(server, '/people');
    await page.getByPlaceholder('name of a new team').fill('vision');
    await page.getByRole('button', { name: 'Make a team' }).click();
    await page.getByRole('heading', { level: 1, name: 'vision' }).waitFor();
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByPlaceholder('for whom it is').fill('Ann');
    await page.getByLabel('Into which team').selectOption('vision');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await page.getByRole('status').locator('code').textContent();
    expect(link).toContain('/invite#');

    const hers = await stranger.context.newPage();
    await hers.goto(link ?? '');
    await hers.getByText('into the team vision').waitFor();
    await hers.getByLabel('Name').fill('ann');
    await hers.getByLabel('Password').fill('correct horse battery');
    await hers.getByRole('button', { name: 'Begin' }).click();
    await hers.getByTitle('Logged in as ann').waitFor();
    // What is the admins' is not shown to her, and refused where she goes there all the same.
    expect(await hers.getByRole('link', { name: 'People' }).count()).toBe(0);
    await hers.goto(`${server.url}/audit`);
    await hers.getByText('only an admin may do this').waitFor();
    await hers.goto(`${server.url}/teams/vision`);
    await hers.getByRole('cell', { name: 'member', exact: true }).waitFor();
    expect(await hers.getByRole('button', { name: 'Add to the team' }).count()).toBe(0);
    // The link is good once.
    await hers.goto('about:blank');
    await hers.goto(link ?? '');
    await hers.getByText('was used already').waitFor();
    await hers.close();

    await page.reload();
    await page.getByText('taken by ann').waitFor();
    await page.close();
    expect(browser.complaints()).toEqual([]);
  });

  it('a member is offered what he may do with a job of the team’s: not its deletion', async () => {
    const cwd = path.join(server.folder, 'cats');
    await mkdir(cwd);
    await server.json(['init', 'vision/cats'], { cwd });
    const job = await server.ended(await server.json<Job>(['run', '--cpu', 'true'], { cwd }));
    const hers = await stranger.context.newPage();
    await hers.goto(`${server.url}/${job.name}`);
    await hers.getByRole('button', { name: 'Run again' }).waitFor();
    expect(await hers.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    await hers.close();
    const page = await browser.open(server, `/${job.name}`);
    await page.getByRole('button', { name: 'Delete' }).waitFor();
    await page.close();
  });

  it('a team’s admin says who is in it, as what', async () => {
    const page = await browser.open(server, '/teams/vision');
    await page.getByLabel('Role of ann').selectOption('viewer');
    const client = await server.client();
    const roleOfAnn = async () => {
      const { members } = await client.call(teamRoutes.get, { params: { team: 'vision' } });
      return members.find(({ user }) => user === 'ann')?.role;
    };
    await eventually('ann is a viewer', async () => (await roleOfAnn()) === 'viewer');
    await page.getByPlaceholder('name of a user').fill('nobody');
    await page.getByRole('button', { name: 'Add to the team' }).click();
    await page.getByText('there is no user nobody').waitFor();
    await page.getByRole('button', { name: 'Remove ann' }).click();
    await page.getByRole('button', { name: 'Take ann out' }).click();
    await page.getByRole('button', { name: 'Remove ann' }).waitFor({ state: 'detached' });
    expect(await roleOfAnn()).toBeUndefined();
    await page.close();
  });

  it('a folder is uploaded for a team where one may choose whose it becomes', async () => {
    const photos = path.join(server.folder, 'photos');
    await mkdir(photos);
    await writeFile(path.join(photos, 'cat.txt'), 'a cat');
    const page = await browser.open(server, '/datasets');
    await page.getByLabel('Folder to upload').setInputFiles(photos);
    await page.getByLabel('Owner').selectOption('vision');
    await page.getByRole('button', { name: 'Upload to photos' }).click();
    const client = await server.client();
    const params = { owner: 'vision', dataset: 'photos' };
    const found = await eventually('the dataset is the team’s', async () => {
      const dataset = await client.call(datasetRoutes.get, { params }).catch(() => undefined);
      return dataset?.latest ?? undefined;
    });
    expect(found.files).toBe(1);
    expect(
      (await client.call(teamRoutes.get, { params: { team: 'vision' } })).storage.storedBytes,
    ).toBeGreaterThan(0);
    await page.close();
  });

  it('the audit trail tells an admin who did what, and finds it', async () => {
    const page = await browser.open(server, '/audit');
    await page.getByRole('cell', { name: 'accept invitation' }).waitFor();
    await page.getByPlaceholder('by whom').fill('ann');
    await page.getByRole('cell', { name: 'remove member' }).waitFor({ state: 'detached' });
    await page.getByRole('cell', { name: 'accept invitation' }).waitFor();
    expect(new URL(page.url()).searchParams.get('user')).toBe('ann');
    await page.close();
  });
});
