import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { AppError } from '@mycloud/shared';
import { readLogin } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { makeHome } from '../up/home.js';
import { lockHome } from '../up/lock.js';
import { joiningWorker } from '../up/programs.js';
import { RunningPrograms } from '../up/running-programs.js';
import { stopSignal } from '../up/stop-signal.js';
import { usage } from '../usage.js';

interface Options {
  server?: string;
  token?: string;
  name?: string;
  home?: string;
  machines?: string;
  runner?: string;
  json?: boolean;
}

/**
 * Runs a worker of a server elsewhere until SIGTERM or Ctrl-C; it needs to reach the server, and nobody has to reach it.
 * Running jobs go on, and the next start on the same folder adopts them.
 * @throws AppError when the server won't have it, at the start or later
 */
export async function worker(options: Options): Promise<void> {
  const { token, url } = await identity(options);
  // What the command line said can be read by anybody on this machine.
  process.title = 'mycloud worker';
  const name = options.name ?? (process.env.MYCLOUD_WORKER_NAME || os.hostname());
  const home = path.resolve(
    options.home ?? (process.env.MYCLOUD_WORKER_HOME || path.join(os.homedir(), '.mycloud-worker')),
  );
  await makeHome(home, 'worker');
  const lock = await lockHome(home, 'worker');
  const stop = stopSignal();
  const running = new RunningPrograms(home, url, lock);
  try {
    const { runner, machines } = options;
    const program = joiningWorker(process.env, { url, token, home, name, runner, machines });
    const facts = await running.start(program, stop);
    if (options.json) printJson({ name, url, home, machines: facts.machines, runner: facts.runner });
    else print(`Worker ${name} offers ${(facts.machines as string[]).join(', ')} to ${url}`);
    hint(`Its jobs and logs lie in ${home}. Ctrl-C stops it; running jobs go on.`);
    await running.untilAborted(stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    if (stop.aborted) hint('Stopping…');
    await running.stop();
    await lock.release();
  }
}

async function identity({ server, token: said }: Options): Promise<{ url: string; token: string }> {
  const url = server ?? (await readLogin()).url;
  if (!url || !/^https?:\/\//.test(url) || !URL.canParse(url))
    throw usage(
      url ? `--server ${url}: write an address such as http://SERVER:7070` : 'say which server: --server URL',
    );
  const token =
    said === '-' ? (await text(process.stdin)).trim() : (said ?? process.env.MYCLOUD_WORKER_TOKEN ?? '');
  if (token) return { url, token };
  throw new AppError('unauthenticated', 'a worker needs a token of its own', {
    hint: 'An admin gets the whole line to type here by `mycloud workers add NAME`; or give MYCLOUD_WORKER_TOKEN, or --token - for stdin.',
  });
}
