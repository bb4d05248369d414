import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from './support/require.js';
import { cliProgram, eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  folder = await server.project('cats');
});
afterAll(() => server?.remove());

const run = (...args: string[]) => server.json<Job>(['run', ...args], { cwd: folder });

/** Starts it, gathering what it prints. */
function begun(args: string[]) {
  const child = server.start(args, { cwd: folder });
  const seen = { text: '' };
  child.stdout?.on('data', (bytes) => (seen.text += bytes));
  child.stderr?.on('data', (bytes) => (seen.text += bytes));
  return { child, seen, ended: once(child, 'close') };
}

describe('without a terminal', () => {
  it('status --watch of a job is a line of JSON a change, until it ends', async () => {
    const job = await run('sleep 600');
    const { seen, ended } = begun(['status', job.name, '--watch', '--json']);
    await eventually('it is seen to run', async () => seen.text.includes('"running"'));
    await server.json(['stop', job.name]);
    expect((await ended)[0]).toBe(0);
    const states = seen.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Job).status);
    expect(states.at(-1)).toBe('stopped');
    expect(new Set(states).size).toBe(states.length);
  });

  it('status -w prints the table anew when something changes, until Ctrl-C', async () => {
    const { child, seen, ended } = begun(['status', '-w']);
    await eventually('the jobs are seen', async () => seen.text.includes('JOB'));
    const job = await run('echo hi');
    await eventually('the new one is seen to end', async () =>
      new RegExp(`${job.name} +succeeded`).test(seen.text),
    );
    expect(seen.text).not.toContain('\x1b');
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(0);
  });

  it('queue --watch shows who comes and goes', async () => {
    const { child, seen, ended } = begun(['queue', '--watch']);
    await eventually('the queue is seen', async () => seen.text.includes('Nothing of yours waits.'));
    const long = await run('--cpu2', 'sleep 600');
    // The machine's cores are taken: whatever else asks for as many waits.
    const waiting = await Promise.all([run('--cpu2', 'sleep 600'), run('--cpu2', 'sleep 600')]);
    await eventually('one waits', async () => /cats\/\d+ +cpu2 +\d/.test(seen.text));
    for (const job of [long, ...waiting]) await server.json(['stop', job.name]);
    await eventually('none waits any more', async () => seen.text.trim().endsWith('Nothing of yours waits.'));
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(0);
  });
});

describe.runIf(wantProgram('script'))('on a terminal', () => {
  it('it is drawn in its place, over what was drawn before', async () => {
    const job = await run('sleep 600');
    const command = [process.execPath, cliProgram, 'status', job.name, '--watch'].join(' ');
    const config = path.join(server.home, '../config');
    const child = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: folder,
      env: { ...process.env, XDG_CONFIG_HOME: config, NO_COLOR: '1', TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (bytes) => (text += bytes));
    const ended = once(child, 'close');
    await eventually('it was drawn twice', async () => text.split('\x1b[2A').length > 2);
    await server.json(['stop', job.name]);
    expect((await ended)[0]).toBe(0);
    const [last = ''] = text.split('\x1b[2A').slice(-1);
    expect(last).toContain('stopped');
    expect(text.endsWith('\x1b[?25h')).toBe(true);
  });
});
