import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { descendants, hasVariable, listProcesses, readProcess, sendSignal } from '../src/index.js';

let shell: ChildProcess | undefined;

afterEach(() => {
  // The shell ends with its child.
  if (shell?.pid) for (const { pid } of descendants(listProcesses(), shell.pid)) sendSignal(pid, 'SIGKILL');
});

/** A shell that ends when its child does. */
async function startShell(): Promise<{ pid: number; child: number; ended: Promise<unknown> }> {
  shell = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], {
    env: { ...process.env, CARRIED: 'a parcel' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(shell.stdout!, 'data')) as [Buffer];
  return { pid: shell.pid!, child: Number(line), ended: once(shell, 'exit') };
}

it('finds a process, what runs below it, and nothing once it has ended', async () => {
  const { pid, child, ended } = await startShell();
  const found = readProcess(pid);
  expect(found).toMatchObject({ pid, ppid: process.pid, startTime: expect.stringMatching(/\d/) });
  expect(descendants(listProcesses(), pid).map((info) => info.pid)).toContain(child);
  sendSignal(child, 'SIGKILL');
  await ended;
  expect(readProcess(pid)).toBeNull();
  // That it went meanwhile is what the signal was for.
  expect(() => sendSignal(child, 'SIGTERM')).not.toThrow();
});

it('names one process by its pid and start: read twice it is the same, another has another pair', async () => {
  const { pid } = await startShell();
  expect(readProcess(pid)?.startTime).toBe(readProcess(pid)?.startTime);
  const me = readProcess(process.pid);
  expect(`${me?.pid} ${me?.startTime}`).not.toBe(`${pid} ${readProcess(pid)?.startTime}`);
});

it.runIf(process.platform === 'linux')('sees the variables that a process was started with', async () => {
  const { pid } = await startShell();
  expect(hasVariable(pid, 'CARRIED=a parcel')).toBe(true);
  expect(hasVariable(pid, 'CARRIED=a')).toBe(false);
});
