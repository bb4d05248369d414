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
import { agreeToSweep, readSweep, submitSweep } from '../sweeps.js';
import { sentText, upload } from '../transfer.js';
import { usage } from '../usage.js';

interface Options extends JobFlags {
  task?: string;
  var?: string[];
  sweep?: string[];
  yes?: boolean;
  local?: boolean;
  out?: string;
  runner?: string;
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
  const settings = { ...file.settings, ...flags };
  if (options.local) return locally(command, settings, options);
  for (const flag of ['out', 'runner'] as const)
    if (options[flag] !== undefined) throw usage(`--${flag} is for --local; a server decides that itself`);
  warnOfOutputs(command);
  const combinations = options.sweep && readSweep(options.sweep);
  if (combinations) await agreeToSweep(combinations, command, options.yes);
  const session = await openSession();
  const params = await projectHere(session);

  hint(`Uploading the code of ${params.owner}/projects/${params.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.') : null;
  if (code) hint(sentText(code));
  const body = { ...settings, command, codeSnapshotId: code?.snapshotId ?? null, env };
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
