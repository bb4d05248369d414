import { randomUUID } from 'node:crypto';
import { jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { type JobFlags, jupyterCommand, readSettings, readVariables } from '../job-flags.js';
import { showSubmitted } from '../submitted.js';

interface Options extends JobFlags {
  var?: string[];
  dropVar?: string[];
  follow?: boolean;
  open?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

/** Submits a new job with the code of another, changed where words or flags say so. */
export async function restart(name: string, words: string[], options: Options): Promise<void> {
  const dropped = (options.dropVar ?? []).map((variable): [string, null] => [variable, null]);
  const body = {
    ...readSettings(options),
    ...(words.length > 0 && { command: words.join(' ') }),
    ...(words.length === 0 && options.mode === 'jupyter' && { command: jupyterCommand }),
    env: { ...Object.fromEntries(dropped), ...readVariables(options.var) },
  };
  const session = await openSession();
  const params = await session.jobRef(name);
  const headers = { 'idempotency-key': randomUUID() };
  const job = await session.client.call(jobRoutes.restart, { params, body }, { headers });
  await showSubmitted(session, job, options);
}
