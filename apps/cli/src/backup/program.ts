import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { AppError, fromProblem, type Problem } from '@mycloud/shared';
import { hint } from '../output.js';
import { builtFile } from '../up/programs.js';

interface Line<T> {
  progress?: { what: string; done: number; total: number };
  result?: T;
  error?: Problem;
}

/** Runs the api's program for backups, shows how far it is, and answers its result. @throws AppError as it ended with */
export async function runBackupProgram<T>(
  args: string[],
  env: Record<string, string | undefined>,
): Promise<T> {
  const child = spawn(process.execPath, [builtFile('@mycloud/api/backup'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const shown = stageLine();
  let last: Line<T> = {};
  const ended = once(child, 'close') as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Line<T>;
    if (said.progress) shown.show(said.progress);
    else last = said;
  }
  const [code] = await ended;
  shown.end();
  if (last.error) throw fromProblem(last.error);
  if (last.result !== undefined) return last.result;
  throw new AppError('internal', `the program for backups ended with ${code} without a word`);
}

/** One line that is drawn anew on a terminal; elsewhere each stage is told once. */
function stageLine() {
  const { stderr } = process;
  let what = '';
  return {
    show(now: { what: string; done: number; total: number }): void {
      const count =
        now.total > 0 ? ` ${now.done.toLocaleString('en')} of ${now.total.toLocaleString('en')}` : '';
      if (stderr.isTTY) stderr.write(`\r\x1b[K${now.what}${count}`);
      else if (now.what !== what && now.total > 0) hint(`${now.what}…`);
      what = now.what;
    },
    end(): void {
      if (stderr.isTTY && what) stderr.write('\r\x1b[K');
    },
  };
}
