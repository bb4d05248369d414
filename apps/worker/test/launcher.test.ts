import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readProcess, sendSignal } from '@mycloud/processes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readState, writeState } from '../src/atomic-file.js';
import { type Launcher, openLauncher } from '../src/runners/launcher.js';

let dir: string;
let launcher: Launcher;
const log = (): string => readFileSync(path.join(dir, 'log'), 'utf8');
const start = (command: string, env: Record<string, string> = {}): Promise<number> =>
  launcher.start({
    argv: ['/bin/sh', '-c', command],
    cwd: dir,
    env: { PATH: '/usr/bin:/bin', ...env },
    log: path.join(dir, 'log'),
  });

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mycloud-launcher-'));
  launcher = openLauncher();
});
afterEach(() => {
  launcher.close();
  rmSync(dir, { recursive: true });
});

test('a program gets its variables as they are, its folder, and nothing of the worker', async () => {
  process.env.SECRET_OF_THE_WORKER = 'hidden';
  const odd = `it's "quoted" \${HOME} \`id\` \\ \nsecond line; exit 1`;
  await start('printf "%s|%s|" "$ODD" "$UID"; pwd; env | grep -c SECRET; echo done', { ODD: odd, UID: '7' });
  await start('env | cut -d= -f1 | sort | tr "\\n" " "; echo done again', { ODD: 'plain' });
  await expect.poll(log).toContain('done again');
  delete process.env.SECRET_OF_THE_WORKER;
  expect(log()).toContain(`${odd}|7|${dir}\n0\ndone\n`);
  const names = /^(.+) done again$/m.exec(log())?.[1]?.split(' ');
  // What a shell sets by itself is no secret.
  expect(names?.filter((name) => !['PWD', '_', 'SHLVL'].includes(name))).toEqual(['ODD', 'PATH']);
});

test('a program leads a session of its own and outlives the launcher', async () => {
  const pid = await start('sleep 60');
  await expect.poll(() => readProcess(pid)?.session).toBe(pid);
  launcher.close();
  expect(readProcess(pid)?.group).toBe(pid);
  process.kill(-pid, 'SIGKILL');
  await expect.poll(() => readProcess(pid)).toBeNull();
});

test('many at once each get their own', async () => {
  const pids = await Promise.all(Array.from({ length: 50 }, (_, i) => start(`echo program ${i}`)));
  expect(new Set(pids).size).toBe(50);
  await expect.poll(() => log().trim().split('\n').length).toBe(50);
});

test('a shell that was killed is replaced', async () => {
  await start('echo one');
  const shell = readProcess(await start('echo two; sleep 60'));
  const before = log;
  await expect.poll(before).toContain('two');
  sendSignal(shell?.ppid ?? 0, 'SIGKILL');
  process.kill(-(shell?.pid ?? 0), 'SIGKILL');
  // One start may still be told that it died.
  await start('echo lost').catch((error: Error) => expect(error.message).toContain('has ended'));
  await start('echo three');
  await expect.poll(log).toContain('three');
});

test('a command that the system does not take is refused with a word', async () => {
  await expect(start(`: ${'x'.repeat(200_000)}`)).rejects.toThrow('no command and variables so long');
});

test('of a file of states the last whole one counts, however it was broken off', () => {
  const file = path.join(dir, 'state.jsonl');
  expect(readState(file)).toBeUndefined();
  writeState(file, { phase: 'running' });
  appendFileSync(file, '\n{"phase":"sav');
  expect(readState(file)).toEqual({ phase: 'running' });
  writeState(file, { phase: 'saving' });
  expect(readState(file)).toEqual({ phase: 'saving' });
  for (let i = 0; i < 2000; i++) writeState(file, { phase: 'running', i, text: 'x'.repeat(100) });
  expect(readState(file)).toMatchObject({ i: 1999 });
  expect(readFileSync(file).length).toBeLessThan(70_000);
});
