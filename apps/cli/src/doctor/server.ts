import { AppError, machineRoutes, userRoutes, version } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { readLogin } from '../context.js';
import type { Finding } from './check.js';

/** The server the command line is logged in to. */
export async function server(): Promise<Finding> {
  const name = 'Server';
  const { url, token } = await readLogin();
  if (!url || !token) {
    return {
      name,
      state: 'note',
      text: 'not logged in',
      hint: 'Start one: mycloud up. Or: mycloud login --url …',
    };
  }
  const client = createNodeClient({ url, token });
  try {
    const health = await client.call(machineRoutes.health, {});
    const me = await client.call(userRoutes.me, {});
    const { items } = await client.call(machineRoutes.workers, {});
    const alive = items.filter((worker) => worker.alive);
    const text = `${url} as ${me.name}; ${alive.length} of ${items.length} workers here`;
    if (alive.length === 0) return { name, state: 'problem', text, hint: 'Jobs wait until a worker comes.' };
    if (health.version === version) return { name, state: 'ok', text };
    return {
      name,
      state: 'note',
      text: `${text}; it is version ${health.version}, this is ${version}`,
      hint: 'Use the same version on both sides.',
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { name, state: 'problem', text: `${url}: ${error.message}`, hint: error.hint };
  }
}
