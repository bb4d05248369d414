import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  folder = await server.project('yelp', { 'food.txt': 'good' });
  await server.json(['data', 'upload', 'reviews', '--dir', folder]);
});
afterAll(() => server?.remove());

const files = ['mycloud.yml', 'floyd.yml', 'floyd.yaml'];
beforeEach(() => Promise.all(files.map((file) => rm(path.join(folder, file), { force: true }))));

const write = (file: string, text: string) => writeFile(path.join(folder, file), text);
const run = (...args: string[]) => server.json<Job>(['run', ...args], { cwd: folder });
const fails = async (args: string[], code: number, ...says: string[]) => {
  const result = await server.cli(['run', ...args], { cwd: folder });
  for (const part of says) expect(result.stderr).toContain(part);
  expect(result.code).toBe(code);
};

const yml = `
machine: cpu2
env: python3
input:
  - source: reviews/1
    destination: input
  - reviews:test
description: for all
max_runtime: 1h
tensorboard: true
command: echo all
task:
  train:
    machine: gpu
    command: echo train
    description: the training
  look:
    input: reviews/1
    max_runtime: 90
`;

describe('what mycloud.yml says is what runs', () => {
  it('without a task, what is said for all', async () => {
    await write('mycloud.yml', yml);
    expect(await run()).toMatchObject({
      command: 'echo all',
      machine: 'cpu2',
      environment: 'python3',
      description: 'for all',
      maxRuntimeSeconds: 3600,
      tensorboard: true,
      mounts: [{ name: 'input' }, { name: 'test' }],
    });
  });

  it('a task is over that, and flags and a command over the task', async () => {
    await write('floyd.yml', yml);
    expect(await run('--task', 'train')).toMatchObject({
      command: 'echo train',
      machine: 'gpu',
      description: 'the training',
      environment: 'python3',
    });
    expect(
      await run(
        '--task',
        'train',
        '--cpu',
        '-m',
        'mine',
        '--no-tensorboard',
        '--data',
        'reviews:x',
        'echo me',
      ),
    ).toMatchObject({
      command: 'echo me',
      machine: 'cpu',
      description: 'mine',
      tensorboard: false,
      mounts: [{ name: 'x' }],
    });
    expect(await run('--task', 'look')).toMatchObject({
      command: 'echo all',
      maxRuntimeSeconds: 90,
      mounts: [{ name: 'input', source: expect.stringContaining('reviews/1') }],
    });
  });

  it('floyd.yaml comes before floyd.yml, as with floyd, and ours before both, which is said', async () => {
    await write('floyd.yml', 'command: echo yml');
    await write('floyd.yaml', 'command: echo yaml');
    expect(await run()).toMatchObject({ command: 'echo yaml' });
    await write('mycloud.yml', 'command: echo ours');
    const { stdout, stderr } = await server.cli(['run', '--json'], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ command: 'echo ours' });
    expect(stderr).toContain('mycloud.yml is what counts, not floyd.yaml or floyd.yml');
  });
});

describe('its mode', () => {
  const web = `import http from 'node:http';
http.createServer((_, response) => response.end('a digit')).listen(process.env.PORT, process.env.HOST);
setTimeout(() => process.exit(), 600_000);`;
  const served = async (...args: string[]) => {
    const job = await server.json<Job & { url: string }>(['run', ...args], { cwd: folder });
    expect(job.mode).toBe('serve');
    expect(await (await fetch(job.url)).text()).toBe('a digit');
    await server.json(['stop', job.name]);
  };

  it('is what floyd called it: a server of a task, or by the flag', async () => {
    await writeFile(path.join(folder, 'web.mjs'), web);
    await write('floyd.yml', 'task: {serve: {mode: serve, command: node web.mjs}}');
    await served('--task', 'serve');
    await rm(path.join(folder, 'floyd.yml'));
    await served('--mode', 'serve', 'node web.mjs');
  });

  it('job is a command, and the flag is over the file', async () => {
    await write('floyd.yml', 'mode: job\ncommand: echo hi');
    expect(await run()).toMatchObject({ mode: 'command' });
    await write('floyd.yml', 'mode: serve\ncommand: echo hi');
    expect(await run('--mode', 'job')).toMatchObject({ mode: 'command', command: 'echo hi' });
  });

  it('jupyter is no place for the command of jobs', async () => {
    await write('floyd.yml', 'command: python train.py\nenv: default');
    // The environment has no Python: what was asked for is seen in the refusal.
    await fails(['--mode', 'jupyter'], 1, 'has no Python, and so no Jupyter');
    await fails(['--mode', 'jupyter', 'python x.py'], 1, 'begins with jupyter');
  });
});

describe('what is wrong in it is told before anything is sent', () => {
  it('a tab, with its line', async () => {
    await write('mycloud.yml', 'task:\n\ttrain: {}\n');
    await fails([], 1, 'mycloud.yml, line 2', 'tab', 'spaces');
  });
  it('a wrong key, with its line and the right one', async () => {
    await write('floyd.yml', 'command: echo\ntask:\n  train:\n    machne: gpu\n');
    await fails([], 1, "floyd.yml can't be used", 'line 4, task.train.machne', 'did you mean "machine"?');
  });
  it('a task that is not there, with those there are', async () => {
    await write('mycloud.yml', yml);
    await fails(['--task', 'trian'], 1, 'no task "trian"', 'Did you mean train?', 'train, look');
    await rm(path.join(folder, 'mycloud.yml'));
    await fails(['--task', 'train'], 1, 'no mycloud.yml');
  });
  it('no command for all tasks, with the tasks to choose', async () => {
    await write('mycloud.yml', 'task: {a: {command: x}, b: {command: y}}');
    await fails([], 2, '--task a or --task b');
  });
  it('a mode that there is not, with those there are', async () => {
    await write('floyd.yml', 'command: x\nmode: serv\n');
    await fails([], 1, 'line 2, mode', 'serve');
  });
  it('an environment or machine that is not there, with the nearest', async () => {
    await write('mycloud.yml', 'command: x\nenv: kerras-2.15\n');
    await fails([], 1, 'keras-2.15');
  });
});

it('init writes one of comments alone, which says nothing and reads well without its signs', async () => {
  await server.json(['init', 'yelp'], { cwd: folder });
  const text = await readFile(path.join(folder, 'mycloud.yml'), 'utf8');
  await fails([], 2, 'mycloud.yml has no command');
  const settings = text.split('\n').filter((line) => /^#(\w| {2})/.test(line));
  await write('mycloud.yml', settings.map((line) => line.slice(1)).join('\n'));
  await fails(['--task', 'none'], 1, 'There are: evaluate.');
  await write('floyd.yml', 'command: echo hi');
  await rm(path.join(folder, 'mycloud.yml'));
  await server.json(['init', 'yelp'], { cwd: folder });
  expect(await run()).toMatchObject({ command: 'echo hi' });
});
