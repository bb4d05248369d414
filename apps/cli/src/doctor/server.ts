import {
  AppError,
  type Client,
  createClient,
  machineRoutes,
  operatingRoutes,
  userRoutes,
  version,
} from '@mycloud/shared';
import { readLogin } from '../context.js';
import type { Finding } from './check.js';

/** Signed URLs and leases of minutes are judged by clocks. */
const mostSkewSeconds = 60;

/** The server the command line is logged in to: what anybody sees of it, and for an admin what it finds wrong with itself. */
export async function server(): Promise<Finding[]> {
  const { url, token } = await readLogin();
  if (!url || !token) return [];
  const client = createClient({ url, token });
  try {
    const reached = await health(client, url);
    const me = await client.call(userRoutes.me, {});
    const who: Finding = {
      name: 'You',
      state: 'ok',
      text: `${me.name}, ${me.role === 'admin' ? 'an admin' : 'a user'}`,
    };
    const seen = me.role === 'admin' ? await ownChecks(client) : [await workers(client)];
    return [...reached, who, ...seen, await environments(client)];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      { name: 'Server', state: 'problem', text: `${url}: ${error.message}`, hint: error.hint ?? away(error) },
    ];
  }
}

const away = (error: AppError): string =>
  error.code === 'unauthenticated'
    ? 'Log in again: mycloud login'
    : 'Is it running (`mycloud up`), and may it be reached from here?';

async function health(client: Client, url: string): Promise<Finding[]> {
  const began = Date.now();
  try {
    return await well(client, url, began);
  } catch (error) {
    // One that can take no jobs may still say why: its own checks are asked next.
    if (!(error instanceof AppError) || error.requestId === undefined) throw error;
    const text = `${url} takes no jobs: ${error.message}`;
    return [{ name: 'Server', state: 'problem', text, hint: error.hint ?? away(error) }];
  }
}

async function well(client: Client, url: string, began: number): Promise<Finding[]> {
  const response = await client.open(machineRoutes.health, {});
  const ms = Date.now() - began;
  const told = machineRoutes.health.response.parse(await response.json());
  const reached: Finding = {
    name: 'Server',
    state: 'ok',
    text: `${url}, version ${told.version}, answered in ${ms} ms`,
  };
  if (told.version !== version) {
    reached.state = 'note';
    reached.text += `; this is ${version}`;
    reached.hint = 'Use the same version on both sides: mycloud upgrade';
  }
  return [reached, clock(response.headers.get('date'), began + ms / 2)];
}

/** The header has whole seconds only. */
function clock(date: string | null, at: number): Finding {
  const name = 'Clock';
  if (!date) return { name, state: 'ok', text: 'the server does not tell its time' };
  const seconds = Math.round((Date.parse(date) - at) / 1000);
  const text = `the server's is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(seconds) <= mostSkewSeconds) return { name, state: 'ok', text };
  return { name, state: 'problem', text, hint: 'Set both by NTP: signed URLs end too early otherwise.' };
}

async function ownChecks(client: Client): Promise<Finding[]> {
  return (await client.call(operatingRoutes.checks, {})).findings;
}

/** What a user who is no admin sees. */
async function workers(client: Client): Promise<Finding> {
  const name = 'Workers';
  const { items } = await client.call(machineRoutes.workers, {});
  const alive = items.filter((worker) => worker.alive).length;
  const text = `${alive} of ${items.length} here`;
  if (alive > 0) return { name, state: 'ok', text };
  return { name, state: 'problem', text, hint: 'Jobs wait until a worker comes: ask who runs the server.' };
}

async function environments(client: Client): Promise<Finding> {
  const { items } = await client.call(machineRoutes.environments, {});
  const built = items
    .filter((environment) => environment.built.some((one) => one.alive))
    .map(({ name }) => name);
  const text =
    built.length > 0
      ? `${built.join(', ')} of ${items.length} lie built on workers; the others are built for their first job`
      : `none of ${items.length} is built yet; the first job of each waits for it`;
  return { name: 'Environments', state: 'ok', text };
}
