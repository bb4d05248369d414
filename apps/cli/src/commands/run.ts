import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { jobRoutes } from '@mycloud/shared';
import { openSession, requireFolder } from '../context.js';
import { type JobFlags, readSettings, readVariables } from '../job-flags.js';
import { hint } from '../output.js';
import { showSubmitted } from '../submitted.js';
import { agreeToSweep, readSweep, submitSweep } from '../sweeps.js';
import { sentText, upload } from '../transfer.js';

interface Options extends JobFlags {
  var?: string[];
  sweep?: string[];
  yes?: boolean;
  follow?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

export async function run(words: string[], options: Options): Promise<void> {
  const settings = readSettings(options);
  const command = words.join(' ');
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
