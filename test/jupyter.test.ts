import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Job, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { chromiumPath, startBrowser } from './support/browser.js';
import { jupyterFolder } from './support/jupyter.js';
import { descendants } from './support/processes.js';
import { eventually, startServer, type TestServer } from './support/server.js';

type Served = Job & { url: string };

const notebook = JSON.stringify({
  cells: [
    {
      cell_type: 'code',
      execution_count: null,
      id: 'a',
      metadata: {},
      outputs: [],
      source: ['print(6 * 7)'],
    },
  ],
  metadata: { kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: 'python3' } },
  nbformat: 4,
  nbformat_minor: 5,
});

describe.skipIf(!jupyterFolder)('JupyterLab in a job', { timeout: 240_000 }, () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await startServer({
      args: ['--runner', 'process'],
      env: {
        // Found in the worker's PATH; the environment itself is an empty one.
        PATH: `${jupyterFolder}${path.delimiter}${process.env.PATH}`,
        MYCLOUD_ENVIRONMENTS: JSON.stringify([
          { name: 'jupyter', description: 'the one of the tests', interpreter: 'python', requirements: [] },
        ]),
      },
    });
    folder = await server.project('notes', { 'nb.ipynb': notebook });
  });
  afterAll(() => server?.remove());

  const run = (...args: string[]) =>
    server.json<Served>(['run', '--mode', 'jupyter', ...args], { cwd: folder });
  const end = async (job: Job) => {
    await server.cli(['stop', job.name]);
    return server.ended(job);
  };

  it('runs a kernel through the server, and is nobody’s who hasn’t its link or its owner’s login', async () => {
    const job = await run();
    expect(job).toMatchObject({
      mode: 'jupyter',
      command: 'jupyter lab',
      environment: 'jupyter',
      idleSeconds: 3600,
    });
    expect((await fetch(`${job.url}api/status`)).status).toBe(200);
    const kernel = (await (await fetch(`${job.url}api/kernels`, { method: 'POST', body: '{}' })).json()) as {
      id: string;
    };
    const socket = new WebSocket(
      `${job.url.replace('http', 'ws')}api/kernels/${kernel.id}/channels?session_id=s`,
    );
    const printed = new Promise<string>((resolve) => {
      socket.on('message', (data) => {
        const { msg_type: type, content } = JSON.parse(String(data)) as {
          msg_type: string;
          content: { text: string };
        };
        if (type === 'stream') resolve(content.text);
      });
    });
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          channel: 'shell',
          header: {
            msg_id: 'm',
            msg_type: 'execute_request',
            username: '',
            session: 's',
            date: '',
            version: '5.3',
          },
          parent_header: {},
          metadata: {},
          content: {
            code: 'import os; print(os.getcwd() == os.environ["MYCLOUD_OUTPUT"])',
            silent: false,
            store_history: false,
          },
        }),
      ),
    );
    expect(await printed).toBe('True\n');
    socket.terminate();

    const client = await server.client();
    const body = { name: 'eve', password: 'correct horse battery' };
    await client.call(userRoutes.create, { body });
    const { token } = await client.call(userRoutes.login, { body });
    const bare = job.url.replace(/~.*/, '');
    expect((await fetch(bare, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
    expect((await fetch(`${bare}api/kernels`)).status).toBe(401);
    // Who reaches its port past this server is asked for the job's own token.
    const port = (await server.cli(['exec', job.name, '--', 'printenv', 'PORT'])).stdout.trim();
    expect((await fetch(`http://127.0.0.1:${port}${new URL(bare).pathname}api/kernels`)).status).toBe(403);
    await end(job);
  });

  it.skipIf(!chromiumPath)(
    'is worked in by a browser, also after the api was killed; what is edited is output',
    async () => {
      const job = await run();
      const browser = await startBrowser();
      const page = await browser.open(server, `/${job.name}`);
      const [lab] = await Promise.all([
        browser.context.waitForEvent('page'),
        page.getByRole('link', { name: 'Open Jupyter' }).click(),
      ]);
      lab.setDefaultTimeout(90_000);
      await lab.waitForURL(/\/lab/);
      // Jupyter's page says that it lost its server, and connects again by itself; the kernel is the same.
      await lab.addLocatorHandler(lab.locator('.jp-Dialog'), (dialog) =>
        dialog.locator('button').last().click(),
      );
      expect(await lab.evaluate('self.origin')).toBe('null');
      await lab.getByText('nb.ipynb').first().dblclick();
      const ready = lab.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]');
      await ready.waitFor();
      /** A page that still looks for its kernel lets a key go by: then it is pressed again. */
      const runCell = (code: string, shows: string) =>
        eventually(
          `the cell shows ${shows}`,
          async () => {
            await lab.locator('.jp-CodeCell .cm-content').first().click();
            await lab.keyboard.press('Control+a');
            await lab.keyboard.type(code);
            await lab.keyboard.press('Control+Enter');
            const output = lab.locator('.jp-OutputArea-output', { hasText: shows }).first();
            return output.waitFor({ timeout: 5000 }).then(
              () => true,
              () => false,
            );
          },
          90,
        );
      await runCell('x = 6 * 7; print(x)', '42');

      const [api] = descendants(server.pid, /api\/dist\/main\.js/);
      process.kill(api!, 'SIGKILL');
      await eventually('the api is back', async () => {
        const answer = await fetch(`${server.url}/health`).catch(() => undefined);
        return answer?.status === 200;
      });
      await runCell('print(x + 1)', '43');
      await lab.keyboard.press('Control+s');
      await eventually('it is saved', async () => {
        const { stdout } = await server.cli(['exec', job.name, '--', 'cat', path.join('output', 'nb.ipynb')]);
        return stdout.includes('print(x + 1)');
      });
      await browser.close();
      const ended = await end(job);
      expect(ended.status).toBe('stopped');
      await server.cli(['output', job.name, '-o', 'kept'], { cwd: folder });
      expect(await readFile(path.join(folder, 'kept/nb.ipynb'), 'utf8')).toContain('print(x + 1)');
    },
  );

  it('ends by itself when nobody uses it', async () => {
    const job = await run('--idle', '2s');
    expect(await server.ended(job, 150)).toMatchObject({ status: 'succeeded', idleSeconds: 2 });
  });
});

describe('a Jupyter that can’t be', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ args: ['--runner', 'process'] });
  });
  afterAll(() => server?.remove());

  it('says which package its environment lacks, and refuses one without Python', async () => {
    const cwd = await server.project('lacks');
    const lacks = await server.cli(['run', '--mode', 'jupyter', '--env', 'python3'], { cwd });
    expect(lacks.code).toBe(1);
    expect(lacks.stderr).toMatch(
      /jupyter: not found in the environment python3; add a line jupyterlab to requirements/,
    );
    const node = await server.cli(['run', '--mode', 'jupyter', '--env', 'default'], { cwd });
    expect(node.stderr).toMatch(/default has no Python, and so no Jupyter/);
    const other = await server.cli(['run', '--mode', 'jupyter', 'python x.py'], { cwd });
    expect(other.stderr).toMatch(/the command begins with jupyter/);
  });
});
