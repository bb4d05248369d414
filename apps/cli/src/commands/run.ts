import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { jobRoutes } from '@mycloud/shared';
import { openSession, requireFolder } from '../context.js';
import { type JobFlags, readSettings, readVariables } from '../job-flags.js';
import { hint } from '../output.js';
import { showSubmitted } from '../submitted.js';
import { agreeToSweep, readSweep, submitSweep } from '../sweeps.js';
import { sentText, upload } from '../transfer.js';
import { usage } from '../usage.js';

interface Options extends JobFlags {
  var?: string[];
  sweep?: string[];
  yes?: boolean;
  local?: boolean;
  out?: string;
  runner?: string;
  follow?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

export async function run(words: string[], options: Options): Promise<void> {
  const settings = readSettings(options);
  const command = words.join(' ');
  if (options.local) return locally(command, settings, options);
  for (const flag of ['out', 'runner'] as const)
    if (options[flag] !== undefined) throw usage(`--${flag} is for --local; a server decides that itself`);
  const combinations = options.sweep && readSweep(options.sweep);
  if (combinations) await agreeToSweep(combinations, command, options.yes);
  const params = await requireFolder();
  const session = await openSession();

  hint(`Uploading the code of ${params.owner}/projects/${params.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.') : null;
  if (code) hint(sentText(code));
  const body = {
    ...settings,
    command,
    codeSnapshotId: code?.snapshotId ?? null,
    env: readVariables(options.var),
  };
  if (combinations) return submitSweep(session, params, body, combinations, options);
  const job = await session.client.call(
    jobRoutes.create,
    { params, body },
    { headers: { 'idempotency-key': randomUUID() } },
  );
  await showSubmitted(session, job, options);
}

/** What is of a server has no place here. */
async function locally(
  command: string,
  settings: ReturnType<typeof readSettings>,
  options: Options,
): Promise<void> {
  const ofServer = ['sweep', 'retries', 'tag', 'message', 'follow', 'json'] as const;
  const given = ofServer.filter((flag) => options[flag] !== undefined);
  if (given.length > 0) throw usage(`--${given.join(' and --')} can't be asked for together with --local`);
  const { runLocal } = await import('../local.js');
  await runLocal({
    command,
    settings,
    variables: readVariables(options.var),
    out: options.out,
    runner: options.runner,
  });
}
