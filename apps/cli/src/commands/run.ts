import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { AppError, jobRoutes } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { folderProject, writeFolder } from '../folder.js';
import { folderSettings } from '../job-file.js';
import { type JobFlags, readSettings, readVariables } from '../job-flags.js';
import { hint } from '../output.js';
import { ensureProject } from '../projects.js';
import { relativeOutputs } from '../relative-output.js';
import { showSubmitted } from '../submitted.js';
import { sentText, upload } from '../transfer.js';
import { usage } from '../usage.js';

interface Options extends JobFlags {
  task?: string;
  var?: string[];
  follow?: boolean;
  exitStatus?: boolean;
  open?: boolean;
  json?: boolean;
}

export async function run(words: string[], options: Options): Promise<void> {
  const flags = readSettings(options);
  const env = readVariables(options.var);
  const file = await folderSettings(options.task);
  if (file.mode === 'jupyter' || file.mode === 'serve')
    throw new AppError('bad_request', `${file.name} asks for mode ${file.mode}, which can't be run here`, {
      hint: 'Only mode job can: name another task, or take the mode away.',
    });
  const command = words.join(' ').trim() || file.command;
  if (!command) throw noCommand(file);
  warnOfOutputs(command);
  const session = await openSession();
  const params = await projectHere(session);

  hint(`Uploading the code of ${params.owner}/projects/${params.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.') : null;
  if (code) hint(sentText(code));
  const job = await session.client.call(
    jobRoutes.create,
    {
      params,
      body: { ...file.settings, ...flags, command, codeSnapshotId: code?.snapshotId ?? null, env },
    },
    { headers: { 'idempotency-key': randomUUID() } },
  );
  await showSubmitted(session, job, options);
}

function noCommand({ name, tasks }: { name?: string; tasks: string[] }) {
  if (name === undefined)
    return usage(
      'say what to run, such as mycloud run "python train.py", or write `command: …` into mycloud.yml',
    );
  const choose = tasks.map((task) => `--task ${task}`).join(' or ');
  return usage(
    `say what to run: ${name} has no command${tasks.length > 0 ? ` for all tasks; choose ${choose}` : ''}`,
  );
}

/** What is written beside the code is gone with the job. */
function warnOfOutputs(command: string): void {
  for (const { written, meant } of relativeOutputs(command))
    hint(`warning: ${written} is a path beside the code, and only /output is kept; did you mean ${meant}?`);
}

/** The project of this folder. One that floyd began becomes ours here, once, and that is told. */
async function projectHere(session: Session): Promise<{ owner: string; project: string }> {
  const [folder, at] = await Promise.all([folderProject(), session.folder()]);
  if (!folder || !at) {
    throw new AppError('bad_request', 'this folder belongs to no project', {
      hint: 'Run `mycloud init NAME` first.',
    });
  }
  if (folder.floyd !== undefined) {
    const made = await ensureProject(session, at);
    await writeFolder({ project: `${at.owner}/${at.project}` });
    const here = `${at.owner}/projects/${at.project}`;
    hint(`floyd began this folder as ${folder.floyd}; here it is ${here}${made ? ', which was made' : ''}.`);
  }
  return at;
}
