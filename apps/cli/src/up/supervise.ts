import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import type { LogFile } from './log-file.js';

export interface Program {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  uid?: number;
  gid?: number;
  /** What it prints when it serves: anything but undefined, handed to whoever waits. */
  ready(line: string): Record<string, unknown> | undefined;
  /** What of a line a person at the terminal should read; undefined: nothing. */
  trouble(line: string): string | undefined;
  signal: 'SIGTERM' | 'SIGINT';
  /** Ended by this code it is not started again. */
  finalCode?: number;
  /** Between the signal and SIGKILL. */
  graceSeconds: number;
}

export interface Supervised {
  readonly name: string;
  readonly signal: 'SIGTERM' | 'SIGINT';
  readonly pid: number | undefined;
  /** What its `ready` line said at the first start. @rejects AppError when it ended before */
  readonly ready: Promise<Record<string, unknown>>;
  /** @rejects AppError when it ended for good, with what it said */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

interface Options {
  log: LogFile;
  /** Says something to the person at the terminal. */
  tell(text: string): void;
  /** Called whenever it was started. */
  onStart(): void;
}

const firstWaitMs = 200;
const longestWaitMs = 5000;
/** One that ran this long is started again at once. */
const steadyMs = 30_000;
const rememberedLines = 20;

/** Runs a program and starts it again whenever it ends, waiting longer each time, until it is stopped. */
export function supervise(program: Program, { log, tell, onStart }: Options): Supervised {
  const stopping = new AbortController();
  const readiness = deferred<Record<string, unknown>>();
  let child: ChildProcess | undefined;
  let wasReady = false;
  const said: string[] = [];

  const read = (line: string): void => {
    log.write(line);
    const facts = wasReady ? undefined : program.ready(line);
    if (facts) {
      wasReady = true;
      readiness.resolve(facts);
    }
    if (stopping.signal.aborted) return;
    const trouble = program.trouble(line);
    if (trouble === undefined) return;
    said.push(trouble);
    if (said.length > rememberedLines) said.shift();
    // Before it is ready its words become the error that `up` ends with.
    if (wasReady) tell(`${program.name}: ${trouble}`);
  };

  const startOnce = async (): Promise<{ end: string; code?: number | null }> => {
    child = spawn(program.command, program.args, {
      env: program.env,
      uid: program.uid,
      gid: program.gid,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C at the terminal reaches `up` alone, which stops its programs in order.
      detached: true,
    });
    for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on('line', read);
    if (child.pid !== undefined) onStart();
    try {
      const exited = once(child, 'exit');
      const closed = once(child, 'close');
      const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null];
      // Its last words come with 'close', which processes it left behind may hold up.
      await Promise.race([closed, sleep(500)]);
      return { end: signal ? `was killed by ${signal}` : `ended with ${code}`, code };
    } catch (error) {
      return { end: `could not be started: ${(error as Error).message}` };
    } finally {
      child = undefined;
    }
  };

  const loop = async (): Promise<never> => {
    let wait = firstWaitMs;
    while (!stopping.signal.aborted) {
      const from = performance.now();
      const { end, code } = await startOnce();
      if (stopping.signal.aborted) break;
      if (!wasReady || (code !== undefined && code === program.finalCode)) {
        const why =
          said.length > 0
            ? said.join('\n')
            : `${program.name} ${end}${wasReady ? '' : ' before it was ready'}`;
        throw new AppError('unavailable', why, { hint: `More in ${log.file}` });
      }
      if (performance.now() - from > steadyMs) wait = firstWaitMs;
      tell(`${program.name} ${end}; it is started again`);
      log.write(`-- ${new Date().toISOString()} ${program.name} ${end}; started again in ${wait} ms`);
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
      wait = Math.min(wait * 2, longestWaitMs);
    }
    throw new AppError('unavailable', `${program.name} was stopped`);
  };
  const running = loop();
  const ended = running.catch((error: unknown) => readiness.reject(error));

  return {
    name: program.name,
    signal: program.signal,
    get pid() {
      return child?.pid;
    },
    ready: readiness.promise,
    ended: running,
    async stop() {
      stopping.abort();
      child?.kill(program.signal);
      const late = setTimeout(() => child?.kill('SIGKILL'), program.graceSeconds * 1000);
      await ended;
      clearTimeout(late);
      log.close();
    },
  };
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits hears of a failure; nobody has to.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
