import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { type Client, type Job, projectRoutes, userRoutes } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { chromiumPath, startBrowser } from './support/browser.js';
import { startPodman, wantPodman } from './support/podman.js';
import { eventually, startServer, type TestServer } from './support/server.js';

type Served = Job & { url: string };

/** Says what it was asked; /slow streams, /end ends the job's command, a WebSocket is echoed. */
const echo = `
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
const server = createServer((request, response) => {
  if (request.url === '/end') process.exit(3);
  if (request.url === '/away') return response.writeHead(302, { location: '/there', 'set-cookie': 'a=b' }).end();
  if (request.url === '/slow') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\\n\\n');
    return request.socket.once('close', () => console.log('the listener has gone'));
  }
  const hash = createHash('sha256');
  request.on('data', (bytes) => hash.update(bytes)).on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, sha256: hash.digest('hex') }));
  });
});
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: '
    + createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64') + '\\r\\n\\r\\n');
  // One frame, as small ones are; the server's own are not masked.
  socket.on('data', (frame) => {
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6).map((byte, i) => byte ^ mask[i % 4]));
    if ((frame[0] & 15) === 1) socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
  });
});
setTimeout(() => server.listen(process.env.PORT, process.env.HOST), 1500);
`;

let server: TestServer;
let client: Client;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  client = await server.client();
  folder = await server.project('served', { 'echo.mjs': echo });
});
afterAll(() => server?.remove());

const run = (args: string[], cwd = folder) =>
  server.json<Served>(['run', '--mode', 'serve', ...args], { cwd });
const stop = async (job: Job) => {
  await server.cli(['stop', job.name]);
  await server.ended(job);
};
const tokenOf = async (name: string): Promise<string> => {
  const body = { name, password: 'correct horse battery' };
  await client.call(userRoutes.create, { body });
  return (await client.call(userRoutes.login, { body })).token;
};

describe('a web server in a job', () => {
  let job: Served;
  /** Without a pass: for who comes with a token. */
  let bare: string;
  beforeAll(async () => {
    job = await run(['node echo.mjs']);
    bare = job.url.replace(/~.*/, '');
  });
  afterAll(() => stop(job));

  it('is reached by the link that is printed once it answers, whatever is asked', async () => {
    expect(job).toMatchObject({ mode: 'serve', maxRuntimeSeconds: 12 * 3600, idleSeconds: null });
    const bytes = randomBytes(5_000_000);
    const answer = await fetch(`${job.url}a/b?c=d&e`, {
      method: 'PUT',
      body: bytes,
      headers: { cookie: 'secret=1', authorization: 'Bearer of-the-server-itself', 'x-own': 'kept' },
    });
    expect(answer.status).toBe(200);
    const told = (await answer.json()) as { headers: Record<string, string> };
    expect(told).toMatchObject({
      method: 'PUT',
      url: '/a/b?c=d&e',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      headers: { 'x-own': 'kept', authorization: 'Bearer of-the-server-itself' },
    });
    expect(told.headers.cookie).toBeUndefined();
  });

  it('answers in an origin of its own, and sets nothing in ours', async () => {
    const answer = await fetch(`${job.url}away`, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe(`${new URL(job.url).pathname}there`);
    expect(answer.headers.get('set-cookie')).toBeNull();
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^sandbox /);
    expect(policy).not.toContain('allow-same-origin');
    const asked = {
      origin: 'null',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-a',
    };
    const preflight = await fetch(job.url, { method: 'OPTIONS', headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-a');
  });

  it('streams, and hears when its listener goes', async () => {
    const leaving = new AbortController();
    const answer = await fetch(`${job.url}slow`, { signal: leaving.signal });
    const { value } = await answer.body!.getReader().read();
    expect(String(Buffer.from(value!))).toBe('data: 1\n\n');
    leaving.abort();
    await eventually('it has heard', async () => {
      const { stdout } = await server.cli(['logs', job.name]);
      return stdout.includes('the listener has gone');
    });
  });

  it('speaks WebSocket', async () => {
    const socket = new WebSocket(job.url.replace('http', 'ws'));
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    socket.terminate();
  });

  it('takes a request that offers another protocol, as curl --http2 and Java do', async () => {
    const sent = request(`${job.url}h2`, {
      method: 'POST',
      headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'x' },
    });
    sent.end('abc');
    const [answer] = await once(sent, 'response');
    let text = '';
    for await (const piece of answer) text += piece;
    expect(JSON.parse(text)).toMatchObject({ sha256: createHash('sha256').update('abc').digest('hex') });
  });

  it('lets in a token that may see the job, without handing it on, and nobody else', async () => {
    const { token } = JSON.parse(
      await readFile(path.join(path.dirname(server.home), 'config/mycloud/config.json'), 'utf8'),
    ) as { token: string };
    const answer = await fetch(`${bare}hello`, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ url: '/hello' });
    expect(text).not.toContain(token);
    const eve = await tokenOf('eve');
    const asEve = () => fetch(bare, { headers: { authorization: `Bearer ${eve}` } });
    expect((await asEve()).status).toBe(404);
    expect((await fetch(bare)).status).toBe(401);
    expect((await fetch(bare, { headers: { authorization: 'Bearer myc_madeup' } })).status).toBe(401);
    expect((await fetch(job.url.replace(/.{3}\/$/, 'abc/'))).status).toBe(403);
    // Another job's address doesn't take this one's pass.
    expect((await fetch(job.url.replace('/serve/', '/jupyter/'))).status).toBe(403);
    const params = { owner: job.owner, project: job.project };
    await client.call(projectRoutes.update, { params, body: { public: true } });
    expect((await asEve()).status).toBe(200);
    await client.call(projectRoutes.update, { params, body: { public: false } });
    // A pass ends with the login that made it.
    const passed = await server.json<Served>(['info', job.name]);
    expect(passed).toMatchObject({ mode: 'serve', link: { message: null } });
  });
});

describe('a web server that isn’t there', () => {
  it('is said to be, while it starts, and to have been, when it has crashed', async () => {
    const child = server.start(['run', '--mode', 'serve', 'sleep 3; node echo.mjs'], { cwd: folder });
    let said = '';
    let printed = '';
    child.stderr?.on('data', (bytes) => (said += bytes));
    child.stdout?.on('data', (bytes) => (printed += bytes));
    await eventually('it waits', async () => said.includes('nothing answers on its port yet'));
    const [, number] = /served\/(\d+)/.exec(printed) ?? [];
    const name = `${(await client.call(userRoutes.me, {})).name}/projects/served/${number}`;
    const { link } = await server.json<{ link: { url: string } }>(['info', name]);
    const early = await fetch(link.url, { headers: { accept: 'text/html' } });
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).toBe('2');
    expect(await early.text()).toContain('nothing answers on its port yet');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const url = printed.trim().split('\n').at(-1)!;
    expect((await fetch(`${url}there`)).status).toBe(200);
    expect((await fetch(`${url}end`)).status).toBe(503);
    const gone = await eventually('it has ended', async () => {
      const answer = await fetch(url);
      return answer.status === 410 && answer.json();
    });
    expect(gone).toMatchObject({ detail: expect.stringContaining('the command exited with 3') });
    const told = await server.cli(['run', '--mode', 'serve', 'exit 4'], { cwd: folder });
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(/has nothing to open: the command exited with 4/);
  });

  it('is asked of no job that runs a command', async () => {
    const job = await server.json<Job>(['run', 'true'], { cwd: folder });
    const answer = await fetch(`${server.url}/v1/projects/${job.owner}/served/jobs/${job.number}/link`, {
      headers: { authorization: `Bearer ${await tokenOf('zoe')}` },
    });
    expect(answer.status).toBe(404);
    expect((await server.cli(['run', '--mode', 'serve'], { cwd: folder })).stderr).toMatch(/say what to run/);
    expect((await server.cli(['run', '--idle', '1h', 'true'], { cwd: folder })).stderr).toMatch(
      /only a Jupyter/,
    );
  });
});

describe('the template `serve`', () => {
  it('answers “cat or dog?” for a posted picture, and by its form in a browser', async () => {
    const pictures = path.join(server.folder, 'pictures');
    await drawDataset(pictures, { train: 48, val: 16, seed: 3 });
    await server.cli(['data', 'upload', 'animals', '--dir', pictures]);
    const trained = await server.cli(
      [
        'run',
        '--data',
        'animals:input',
        '--follow',
        '--exit-status',
        '--json',
        'train --logdir /output/Graph --epochs 40 --image-size 48 --train-samples 48 --val-samples 16 --batch-size 16 --seed 1',
      ],
      { cwd: folder },
    );
    expect(trained.code, trained.stderr).toBe(0);
    const { items } = await server.json<{ items: Job[] }>(['status'], { cwd: folder });
    const shop = await server.project('shop');
    const began = await server.cli(['init', 'shop', '--template', 'serve'], { cwd: shop });
    expect(began.stderr).toContain('README.md says how to run it');
    const job = await run(['--data', `${items[0]!.name}/output:model`, 'train server.ts'], shop);
    const ask = async (name: string) => {
      const form = new FormData();
      const bytes = await readFile(path.join(pictures, 'train', `${name}s`, `${name}.0.jpg`));
      form.append('file', new Blob([new Uint8Array(bytes)]), `${name}.jpg`);
      return (await (await fetch(job.url, { method: 'POST', body: form })).json()) as {
        class: string;
        probability: number;
      };
    };
    const [cat, dog] = [await ask('cat'), await ask('dog')];
    expect([cat.class, dog.class]).toEqual(['cats', 'dogs']);
    expect(cat.probability).toBeGreaterThan(0.5);
    const nonsense = await fetch(job.url, { method: 'POST', body: 'no picture' });
    expect(nonsense.status).toBe(400);
    expect(await nonsense.json()).toMatchObject({ error: expect.stringContaining('This is no picture') });
    if (chromiumPath) {
      const browser = await startBrowser();
      const page = await browser.open(server, `/${job.name}`);
      const [opened] = await Promise.all([
        browser.context.waitForEvent('page'),
        page.getByRole('link', { name: 'Open server' }).click(),
      ]);
      await opened.setInputFiles('input[type=file]', path.join(pictures, 'train/dogs/dog.0.jpg'));
      await opened.getByRole('button', { name: 'Ask' }).click();
      await opened.getByRole('status').filter({ hasText: 'dogs' }).waitFor();
      // It is none of our page's origin: nothing of the login is there to be had.
      expect(await opened.evaluate('self.origin')).toBe('null');
      await browser.close();
    }
    await stop(job);
  }, 180_000);
});

describe.skipIf(!wantPodman())('a web server in a container', () => {
  it('is reached on the network of jobs and on the machine’s, and refused with a reason where there is none', async () => {
    const podman = await startPodman();
    const environment = `image:${podman.image}`;
    const command = 'busybox httpd -f -h /code -p "$HOST:$PORT"';
    for (const network of ['mycloud', 'host', 'none']) {
      const box = await startServer({
        // Open: a rule of the firewall would outlive the network.
        env: {
          MYCLOUD_DOCKER: podman.address,
          MYCLOUD_DOCKER_NETWORK: network,
          MYCLOUD_JOBS_METADATA: 'open',
        },
      });
      const cwd = await box.project('boxed', { 'index.html': 'from a container' });
      const told = await box.cli(['run', '--mode', 'serve', '--env', environment, '--json', command], {
        cwd,
      });
      if (network === 'none') {
        expect(told.stderr).toMatch(/containers of this worker have no network/);
      } else {
        const { url } = JSON.parse(told.stdout) as Served;
        expect(await (await fetch(`${url}index.html`)).text()).toBe('from a container');
      }
      await box.remove();
    }
    await podman.stop();
  }, 240_000);
});
