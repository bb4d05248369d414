import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carrying } from './support/processes.js';
import { eventually, onCluster, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let data: string;
beforeAll(async () => {
  server = await startServer();
  data = path.join(server.folder, 'data');
  await mkdir(data);
  await writeFile(path.join(data, 'one.txt'), 'one');
  await server.json(['init', 'words']);
  await server.json(['data', 'upload', 'letters', '--dir', data]);
  await server.json(['run', 'echo hello; echo kept > "$MYCLOUD_OUTPUT/kept.txt"']);
  await eventually('the first job ends', async () => {
    const job = await server.json<{ finishedAt: string | null }>(['info', '1']);
    return job.finishedAt !== null;
  });
});
afterAll(() => server?.remove());

describe('data goes to stdout, the rest to stderr', () => {
  it.each([
    [['version']],
    [['doctor']],
    [['status']],
    [['status', '1']],
    [['info', '1']],
    [['workers']],
    [['output', '1', '--list']],
    [['output', '1', '-o', 'fetched']],
    [['data', 'list']],
    [['data', 'status', 'letters']],
    [['data', 'files', 'letters/1']],
    [['data', 'get', 'letters', '-o', 'letters']],
    [['data', 'init', 'later']],
    [['data', 'delete', 'later', '-y']],
    [['token', 'list']],
    [['init', 'words']],
  ])('%j with --json prints one JSON value and nothing else', async (args) => {
    const { code, stdout } = await server.cli([...args, '--json']);
    expect(code).toBe(0);
    expect(() => JSON.parse(stdout)).not.toThrow();
  });

  it('logs as lines of JSON, one a line of the log', async () => {
    const { stdout } = await server.cli(['logs', '1', '--json']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { source: string; text: string });
    expect(lines.filter((line) => line.source === 'job').map((line) => line.text)).toEqual(['hello']);
  });

  it('without a terminal there are no colours and no bars', async () => {
    for (const args of [['status'], ['logs', '1'], ['data', 'upload', 'letters', '--dir', data]]) {
      const { stdout, stderr } = await server.cli(args, { env: { NO_COLOR: '' } });
      const text = stdout + stderr;
      expect(stripVTControlCharacters(text)).toBe(text);
      expect(text).not.toContain('\r');
    }
  });
});

describe('logging in', () => {
  it('keeps the token to oneself', async () => {
    const file = path.join(server.home, '../config/mycloud/config.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is asked for with exit code 4, and done by a token on stdin', async () => {
    const { token } = await server.json<{ token: string }>(['token', 'create', 'mine']);
    const env = { XDG_CONFIG_HOME: path.join(server.folder, 'other-config') };
    const before = await server.cli(['status'], { env });
    expect(before.code).toBe(4);
    expect(before.stderr).toMatch(/mycloud login/);
    const login = await server.cli(['login', '--url', server.url, '--token', '-'], {
      env,
      input: `${token}\n`,
    });
    expect(login).toMatchObject({ code: 0, stderr: expect.stringContaining('Logged in') });
    expect((await server.cli(['status'], { env })).code).toBe(0);
    expect((await server.cli(['logout'], { env })).code).toBe(0);
    expect((await server.cli(['status'], { env })).code).toBe(4);
  });

  it.skipIf(onCluster)('to the server of a folder of this machine needs nothing typed', async () => {
    const env = { XDG_CONFIG_HOME: path.join(server.folder, 'third-config') };
    expect((await server.cli(['login', '--home', server.home], { env })).code).toBe(0);
    expect((await server.cli(['status'], { env })).code).toBe(0);
    const nowhere = await server.cli(['login', '--home', '/nowhere'], { env });
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('mycloud up --home') });
  });

  it('with a token that was revoked is refused at once', async () => {
    const { id, token } = await server.json<{ id: string; token: string }>(['token', 'create', 'short']);
    const env = { MYCLOUD_URL: server.url, MYCLOUD_TOKEN: token };
    expect((await server.cli(['status'], { env })).code).toBe(0);
    await server.json(['token', 'revoke', id]);
    expect(await server.cli(['status'], { env })).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('revoked'),
    });
  });
});

describe('following', () => {
  it('ends with Ctrl-C and leaves the job alone, saying how to come back and how to stop it', async () => {
    const { name } = await server.json<{ name: string }>(['run', 'echo started; sleep 600']);
    const follower = server.start(['logs', '-f', name]);
    let stdout = '';
    let stderr = '';
    follower.stdout?.on('data', (bytes) => (stdout += bytes));
    follower.stderr?.on('data', (bytes) => (stderr += bytes));
    await eventually('the follower shows the job’s line', async () => stdout.includes('started'));
    const closed = once(follower, 'close');
    follower.kill('SIGINT');
    expect((await closed)[0]).toBe(130);
    expect(stderr).toContain(`mycloud logs -f ${name}`);
    expect(stderr).toContain(`mycloud stop ${name}`);
    expect(await server.json(['info', name])).toMatchObject({ status: 'running' });
    await server.json(['stop', name]);
    await eventually('it is stopped', async () => {
      return (await server.json<{ status: string }>(['info', name])).status === 'stopped';
    });
  });
});

it('a server that nobody reads any more stops all it runs', async () => {
  const home = path.join(server.folder, 'hung');
  const up = server.start(['up', '--home', home, '--port', '0', '--json']);
  for await (const line of createInterface({ input: up.stdout! })) if (line.startsWith('{')) break;
  expect(carrying(home).length).toBeGreaterThan(3);
  // As when the terminal is closed: the next word it says fails.
  up.stdout?.destroy();
  up.stderr?.destroy();
  const ended = once(up, 'exit');
  up.kill('SIGTERM');
  await ended;
  expect(carrying(home)).toEqual([]);
});

describe('what can’t be', () => {
  it('a run in a folder of no project is told how to begin', async () => {
    const folder = path.join(server.folder, 'bare');
    await mkdir(folder);
    const { code, stderr } = await server.cli(['run', 'true'], { cwd: folder });
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('mycloud init') });
  });

  it('the version is told by the flag, too', async () => {
    const [word, flag] = [await server.cli(['version']), await server.cli(['--version'])];
    expect(flag).toEqual(word);
    expect(flag).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('a command that does not exist ends with 2 and names the nearest', async () => {
    const { code, stderr } = await server.cli(['statsu']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/status/);
  });

  it('a server whose folder can’t be written to says which', async () => {
    const file = path.join(server.folder, 'a-file');
    await writeFile(file, '');
    const { code, stderr } = await server.cli(['up', '--port', '0', '--home', path.join(file, 'home')]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('a-file/home') });
  });

  it('a server that does not answer is named, with what to try', async () => {
    const env = { MYCLOUD_URL: 'http://127.0.0.1:9', MYCLOUD_TOKEN: 'myc_x' };
    const { code, stderr } = await server.cli(['status'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9');
    expect(stderr).toContain('mycloud up');
  });

  it('what nobody foresaw is told shortly, and in full with MYCLOUD_DEBUG', async () => {
    const broken = http.createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"neither":"jobs","nor":"a page"}');
    });
    broken.listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const { port } = broken.address() as AddressInfo;
    const env = { MYCLOUD_URL: `http://127.0.0.1:${port}`, MYCLOUD_TOKEN: 'myc_x' };
    const short = await server.cli(['status'], { env });
    const long = await server.cli(['status'], { env: { ...env, MYCLOUD_DEBUG: '1' } });
    broken.close();
    expect(short).toMatchObject({ code: 1, stderr: expect.stringContaining('MYCLOUD_DEBUG=1') });
    expect(short.stderr).not.toMatch(/\n {4}at /);
    expect(long.stderr).toMatch(/\n {4}at /);
  });

  it('deleting asks first, and where nobody can be asked it wants a yes', async () => {
    expect((await server.cli(['delete', '1'])).code).toBe(1);
    expect((await server.cli(['info', '1'])).code).toBe(0);
    expect((await server.cli(['delete', '1', '-y'])).code).toBe(0);
    expect((await server.cli(['info', '1'])).code).toBe(1);
  });
});
