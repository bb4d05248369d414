import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

let server: TestServer;
let project: string;
beforeAll(async () => {
  server = await startServer({ args: ['--runner', 'process'] });
  project = await server.project('cats', {
    'say.mjs': 'console.log(process.env.WORD, process.argv[2])',
  });
});
afterAll(() => server?.remove());

const ended = async (number: number) =>
  server.ended(await server.json<Job>(['info', String(number)], { cwd: project }));
const log = async (number: number) => (await server.cli(['logs', String(number)], { cwd: project })).stdout;

it('a job is run again by one word: same code, same variables, another command, and its secret in no answer', async () => {
  const first = await server.cli(['run', '--var', 'WORD', '--tag', 'sweep', 'node say.mjs one', '--json'], {
    cwd: project,
    env: { WORD: 'hunter2' },
  });
  expect(first.stdout).not.toContain('hunter2');
  await ended(1);
  await writeFile(path.join(project, 'say.mjs'), 'console.log("changed since")');
  const again = await server.json<Job>(['restart', '1', '-m', 'once more', 'node say.mjs two'], {
    cwd: project,
  });
  expect(again).toMatchObject({ number: 2, description: 'once more', tags: ['sweep'], envNames: ['WORD'] });
  await ended(2);
  expect(await log(2)).toContain('hunter2 two');
  await server.json(['restart', 'cats/2', '--drop-var', 'WORD', '--no-tags', '--max-runtime', '1m'], {
    cwd: project,
  });
  expect(await ended(3)).toMatchObject({
    tags: [],
    envNames: [],
    maxRuntimeSeconds: 60,
    command: 'node say.mjs two',
  });
  expect(await log(3)).toContain('undefined two');
});

it('a job is tagged and noted, and shows both', async () => {
  await server.cli(['tag', '2', 'best', 'kept'], { cwd: project });
  const { stdout } = await server.cli(['tag', '2', '-d', 'sweep', 'kept'], { cwd: project });
  expect(stdout).toBe('root/projects/cats/2: best\n'.replace('root', (await ended(2)).owner));
  await server.cli(['note', '2', 'the one to keep'], { cwd: project });
  const info = await server.cli(['info', '2'], { cwd: project });
  expect(info.stdout).toMatch(/tags +best\n/);
  expect(info.stdout).toMatch(/note +the one to keep\n/);
});

it('says what is wrong with what was typed', async () => {
  const fails = async (...args: string[]) => {
    const { code, stderr } = await server.cli(args, { cwd: project });
    return [code, stderr];
  };
  expect(await fails('restart', '9')).toEqual([1, expect.stringContaining('The newest job of cats is 3.')]);
  expect(await fails('restart', '1', '--max-runtime', 'soon')).toEqual([2, expect.stringContaining('30m')]);
  expect(await fails('restart', '1', '--var', 'NOWHERE_SET')).toEqual([
    2,
    expect.stringContaining('write NOWHERE_SET=VALUE'),
  ]);
  expect(await fails('restart', '1', '--gpu', '--cpu')).toEqual([2, expect.stringContaining('together')]);
  expect(await fails('tag', '2', 'two words')).toEqual([1, expect.stringContaining('one word')]);
});
