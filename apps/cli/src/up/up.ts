import os from 'node:os';
import path from 'node:path';
import { machineRoutes, withPassword } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { readSavedLogin, saveLogin } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { pageLink } from '../page-link.js';
import { usage } from '../usage.js';
import { makeHome } from './home.js';
import { lockHome } from './lock.js';
import { serverPort } from './ports.js';
import { preparePostgres } from './postgres.js';
import { apiProgram, type ServerFacts, workerProgram } from './programs.js';
import { RunningPrograms } from './running-programs.js';
import { openSecrets } from './secrets.js';
import { stopSignal } from './stop-signal.js';

interface Options {
  port: string;
  host: string;
  home?: string;
  runner: string;
  floydLocal?: boolean;
  json?: boolean;
}

/**
 * Serves until SIGTERM or Ctrl-C: Postgres (unless DATABASE_URL names one), the api, a worker, stopped in the reverse order
 * of their start. Running jobs go on, and the next start adopts them.
 * @throws AppError for a folder, a port or a service that can't be had
 */
export async function up({ host, runner, floydLocal = false, json, ...options }: Options): Promise<void> {
  const home = homeFolder(options.home);
  const wanted = Number(options.port);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
    throw usage(`--port ${options.port}: write a number up to 65535`);
  await makeHome(home);
  const lock = await lockHome(home);
  const stop = stopSignal();
  let running: RunningPrograms | undefined;
  try {
    const port = await serverPort(wanted, host);
    const url = `http://${addressFor(host)}:${port}`;
    running = new RunningPrograms(home, url, lock);
    const facts = await start(running, { home, host, port, url, runner, floydLocal }, stop);
    await greet(facts, json);
    await running.untilAborted(stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    if (stop.aborted) hint('Stopping…');
    await running?.stop();
    await lock.release();
  }
}

/** Where a server's data lie: what was said, MYCLOUD_HOME, or ~/.mycloud. */
export const homeFolder = (said: string | undefined): string =>
  path.resolve(said ?? (process.env.MYCLOUD_HOME || path.join(os.homedir(), '.mycloud')));

type Place = Pick<ServerFacts, 'home' | 'host' | 'port' | 'url' | 'runner' | 'floydLocal'>;

async function start(running: RunningPrograms, place: Place, stop: AbortSignal): Promise<ServerFacts> {
  const { home, url } = place;
  const secrets = await openSecrets(home);
  const { DATABASE_URL: givenDatabase, REDIS_URL: redisUrl, REDIS_PASSWORD: redisPassword } = process.env;
  const postgres = givenDatabase ? undefined : await preparePostgres(home, secrets, hint);
  if (postgres) await running.start(postgres.program, stop);
  const facts: ServerFacts = {
    ...place,
    databaseUrl: givenDatabase || (postgres?.url ?? ''),
    queueUrl: redisUrl ? withPassword(redisUrl, redisPassword || undefined) : postgres?.queueUrl,
    embeddedDatabase: postgres !== undefined,
    workerHome: path.join(home, 'worker'),
    workerName: os.hostname(),
    secrets,
  };
  await running.start(apiProgram(process.env, facts), stop);
  // The one worker offers all there is: what it has too little of, such as a GPU, its jobs are told in their first lines.
  const client = createNodeClient({ url, token: secrets.token });
  const { items } = await client.call(machineRoutes.machines, {}, { signal: stop });
  const machines = items.map((machine) => machine.name);
  await running.start(workerProgram(process.env, facts, machines), stop);
  return facts;
}

/** Logs the command line in, unless it is logged in to some other server, and says how to go on. */
async function greet({ url, home, secrets }: ServerFacts, json: boolean | undefined): Promise<void> {
  const login = await readSavedLogin();
  const elsewhere = login !== undefined && login.url !== url && login.token !== secrets.token;
  if (!elsewhere) await saveLogin({ url, token: secrets.token });
  const page = (await pageLink(createNodeClient({ url, token: secrets.token }))).url;
  if (json) printJson({ url, home, user: secrets.user, page });
  else print(`mycloud is up at ${url}\n  ${page}`);
  hint('That link opens the page once, in the next minutes; `mycloud open` makes another.');
  hint(`Its data and logs lie in ${home}. Ctrl-C stops it; running jobs go on.`);
  if (elsewhere)
    hint(
      `Your command line stays logged in to ${login.url}. To use this server: mycloud login --home ${home}`,
    );
  else
    hint(`Your command line is logged in as ${secrets.user}. Begin in another terminal: mycloud init NAME`);
}

/** How this machine reaches what listens on `host`. */
function addressFor(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
