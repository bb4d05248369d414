import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { jobRoutes, jupyterEnvironment } from '@mycloud/shared';
import { openSession, requireFolder } from '../context.js';
import { type JobFlags, readCommand, readSettings, readVariables } from '../job-flags.js';
import { hint } from '../output.js';
import { showSubmitted } from '../submitted.js';
import { sentText, upload } from '../transfer.js';

interface Options extends JobFlags {
  var?: string[];
  follow?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

export async function run(words: string[], options: Options): Promise<void> {
  const settings = readSettings(options);
  const command = readCommand(options.mode, words);
  if (options.mode === 'jupyter') settings.environment ??= jupyterEnvironment;
  const params = await requireFolder();
  const session = await openSession();

  hint(`Uploading the code of ${params.owner}/projects/${params.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.') : null;
  if (code) hint(sentText(code));
  const job = await session.client.call(
    jobRoutes.create,
    {
      params,
      body: {
        ...settings,
        command,
        codeSnapshotId: code?.snapshotId ?? null,
        env: readVariables(options.var),
      },
    },
    { headers: { 'idempotency-key': randomUUID() } },
  );
  await showSubmitted(session, job, options);
}
