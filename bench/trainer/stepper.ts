import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A process that takes training steps when asked. */
export interface Stepper {
  /** Seconds that `steps` steps took. */
  round(steps: number): Promise<number>;
  /** The most memory it held so far, MiB: its peak resident set (Linux). */
  peakMemory(): number;
  close(): Promise<void>;
}

/** Starts one and waits until it is ready for steps. @throws Error when it ends instead */
export async function startStepper(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<Stepper> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(' ')} ended`);
    return value;
  };
  while ((await next()) !== 'ready');
  return {
    async round(steps) {
      child.stdin!.write(`${steps}\n`);
      return Number(await next());
    },
    peakMemory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
    },
    async close() {
      child.stdin!.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
