import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Job, WorkerInfo } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let home: string;

beforeAll(async () => {
  server = await startServer({ args: ['--runner', 'process'], env: { MYCLOUD_RUNNER: 'process' } });
  home = path.join(path.dirname(server.folder), 'box');
});
afterAll(() => server?.remove());

const workers = async () => (await server.json<{ items: WorkerInfo[] }>(['workers'])).items;
const here = async (name: string) => (await workers()).find((worker) => worker.name === name)?.alive === true;

/** Runs a line that was printed, and keeps what it says. */
function type(line: string) {
  const [program, ...args] = line.split(' ');
  expect(program).toBe('mycloud');
  const child: ChildProcess = server.start([...args, '--home', home]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (said += bytes));
  return { child, said: () => said, ended: once(child, 'close').then(([code]) => code as number) };
}

describe('a worker that joins', () => {
  let line: string;

  it('does so by the one line that an admin is given, and runs jobs', async () => {
    const { stdout, stderr } = await server.cli(['workers', 'add', 'box']);
    line = stdout.trim();
    expect(line).toMatch(/^mycloud worker --server http:\/\/\S+ --name box --token mycw_\w+$/);
    expect(stderr).toContain('put in the address');
    const box = type(line);
    await eventually('it is here', () => here('box'));
    await eventually('it says what it offers', async () => box.said().includes('Worker box offers cpu'));
    const project = await server.project('away');
    const [embedded] = (await workers()).filter(({ name }) => name !== 'box');
    await server.json(['workers', 'drain', embedded!.name]);
    const made = await server.json<Job>(['run', 'echo there'], { cwd: project });
    expect(await server.ended(made)).toMatchObject({ status: 'succeeded' });
    expect((await server.cli(['logs', made.name])).stdout).toMatch(
      /preparing on box: .* runner process[\s\S]*there/,
    );

    // Its job outlives it, and is adopted.
    const long = await server.json<Job>(['run', 'sleep 4; echo done'], { cwd: project });
    await eventually('it runs', async () =>
      (await workers()).some(({ name, jobs }) => name === 'box' && jobs.includes(long.name)),
    );
    box.child.kill('SIGINT');
    expect(await box.ended).toBe(0);
    const again = type(line);
    expect(await server.ended(long)).toMatchObject({ status: 'succeeded', attempt: 1 });
    const second = await server.cli([...line.split(' ').slice(1), '--home', home]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`a worker is already running on ${home}`);
    await server.json(['workers', 'undrain', embedded!.name]);

    const removed = await server.json(['workers', 'remove', 'box']);
    expect(removed).toEqual({ name: 'box', jobs: 0, tokenRevoked: true });
    expect(await again.ended).toBe(1);
    expect(again.said()).toContain('this token was revoked');
  }, 180_000);

  it('is refused with a word by a token that is over, a wrong one, none, or at an address of no server', async () => {
    const over = type(line);
    expect(await over.ended).toBe(1);
    expect(over.said()).toContain('this token was revoked');
    const refused = async (...args: string[]) => {
      const { code, stderr } = await server.cli(['worker', '--home', home, ...args]);
      return `${code} ${stderr}`;
    };
    expect(await refused('--server', server.url, '--token', 'mycw_nothing')).toMatch(
      /^1 error: this token is not known here\nAn admin makes another one/,
    );
    expect(await refused('--server', server.url)).toMatch(
      /^4 error: a worker needs a token of its own\n.*workers add NAME/,
    );
    expect(await refused('--server', 'lab:7070', '--token', 'x')).toMatch(
      /^2 error: --server lab:7070: write an address/,
    );
  }, 120_000);

  it('is removed only if there is one of that name', async () => {
    const { code, stderr } = await server.cli(['workers', 'remove', 'bax']);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no worker bax');
    expect((await server.cli(['workers', 'remove'])).code).toBe(2);
  });
});
