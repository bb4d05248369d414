import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { eventually } from './server.js';

/** The worker's own maker of terminals: it needs nothing but Python. */
const program = path.resolve(import.meta.dirname, '../../apps/worker/src/exec/enter.py');

/** A program in a terminal, as a person sits before it. */
export interface Terminal {
  /** All it has shown. */
  shown(): string;
  type(keys: string): void;
  resize(rows: number, columns: number): void;
  /** Waits until it shows this. */
  sees(text: string | RegExp): Promise<unknown>;
  /** Its exit code. */
  ended: Promise<number>;
  /** Closes the terminal's window. */
  close(): void;
}

export function openTerminal(argv: string[], env: Record<string, string>, cwd: string): Terminal {
  const child: ChildProcess = spawn('python3', ['-I', program], {
    env,
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const control = child.stdio[3] as Writable;
  const spec = {
    argv,
    env: { ...env, TERM: 'xterm' },
    cwd,
    session: 'of-a-test',
    like: process.pid,
    enter: false,
  };
  control.write(`${JSON.stringify({ ...spec, cgroups: [], terminal: { rows: 24, columns: 80 } })}\n`);
  let shown = '';
  child.stdout?.on('data', (bytes) => (shown += bytes));
  return {
    shown: () => shown,
    type: (keys) => void child.stdin?.write(keys),
    resize: (rows, columns) => void control.write(`${rows} ${columns}\n`),
    sees: (text) =>
      eventually(`the terminal shows ${text} in: ${shown}`, async () =>
        typeof text === 'string' ? shown.includes(text) : text.test(shown),
      ),
    ended: once(child, 'close').then(([code]) => code as number),
    close: () => control.end(),
  };
}
