import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Long enough for a loaded machine; usual is one second. */
const startMs = 60_000;
const keptLines = 20;
const lineLength = 300;
const pageBytes = 4096;

/** Becomes the program, beside a guard that ends it when the pipe of fd 3 closes: however the api ends, it leaves none behind. */
const guarded = '(read -r _; kill -9 $$) <&3 3<&- >/dev/null 2>&1 & exec "$@" 3<&-';

export interface TensorboardProcess {
  port: number;
  /** All its addresses begin with this, which no other program of this machine guesses. */
  prefix: string;
  /** Resolves when it is no more, with its last words. */
  ended: Promise<string>;
  /** What it takes up; undefined where the system doesn't say. */
  memoryBytes(): Promise<number | undefined>;
  stop(): void;
}

/**
 * Starts TensorBoard on a folder of runs, listening on this machine only; it knows nothing of the server's secrets.
 * @param scratch where it may leave what it likes
 * @throws Error with its last words when it ends before it serves
 */
export async function startTensorboard(
  program: string,
  logdir: string,
  scratch: string,
): Promise<TensorboardProcess> {
  const prefix = `/${randomBytes(16).toString('hex')}`;
  const options = {
    logdir,
    host: '127.0.0.1',
    port: '0',
    path_prefix: prefix,
    // One process instead of two, and up sooner.
    load_fast: 'false',
    // A job tried again goes on in a second file of the same run.
    reload_multifile: 'true',
    reload_interval: '5',
  };
  const argv = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn('/bin/sh', ['-c', guarded, 'tensorboard', program, ...argv], {
    cwd: scratch,
    env: {
      PATH: `${path.dirname(program)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: scratch,
      TMPDIR: scratch,
      LANG: 'C.UTF-8',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // A group of its own, which the guard is in too.
    detached: true,
  });
  let over = false;
  const stop = () => {
    // A number that is free again may be another's.
    if (over) return;
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  const lines: string[] = [];
  const serving = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        const port = /TensorBoard \S+ at http:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
        if (port) resolve(Number(port));
        if (line.trim() && !port) lines.push(line.trim().slice(0, lineLength));
        if (lines.length > keptLines) lines.shift();
      });
    }
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      // The guard waits still; its group is ended before another could get that number.
      stop();
      over = true;
      child.stdio[3]?.destroy();
      if (code === null) return resolve(`it was ended by ${signal}`);
      const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
      resolve(`it exited with ${code}${words ? `: ${words}` : ''}`);
    });
  });
  const late = setTimeout(stop, startMs);
  const port = await Promise.race([
    serving,
    ended.then((words) => {
      throw new Error(words);
    }),
  ]).finally(() => clearTimeout(late));
  return {
    port,
    prefix,
    ended,
    async memoryBytes() {
      // Not Linux, or gone by now.
      const statm = await readFile(`/proc/${child.pid}/statm`, 'latin1').catch(() => undefined);
      return statm === undefined ? undefined : Number(statm.split(' ')[1]) * pageBytes;
    },
    stop,
  };
}
