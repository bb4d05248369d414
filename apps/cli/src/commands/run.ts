import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { AppError, type JobMode, jobRoutes, jupyterEnvironment } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { folderProject, writeFolder } from '../folder.js';
import { type FolderSettings, folderSettings } from '../job-file.js';
import { type JobFlags, jupyterCommand, readSettings, readVariables } from '../job-flags.js';
import { hint } from '../output.js';
import { ensureProject } from '../projects.js';
import { showSubmitted } from '../submitted.js';
import { agreeToSweep, readSweep, submitSweep } from '../sweeps.js';
import { sentText, upload } from '../transfer.js';
import { usage } from '../usage.js';
import { wrongPaths } from '../wrong-paths.js';

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
  const settings = { ...file.settings, ...flags };
  if (settings.mode === 'jupyter') settings.environment ??= jupyterEnvironment;
  const command = commandOf(settings.mode, words, file);
  if (options.local) return locally(command, settings, options);
  for (const flag of ['out', 'runner'] as const)
    if (options[flag] !== undefined) throw usage(`--${flag} is for --local; a server decides that itself`);
  warnOfPaths(command);
  const combinations = options.sweep && readSweep(options.sweep);
  if (combinations) await agreeToSweep(combinations, command, options.yes);
  const session = await openSession();
  const params = await projectHere(session);

  const body = { ...settings, command, codeSnapshotId: await uploadCode(session, params), env };
  if (combinations) return submitSweep(session, params, body, combinations, options);
  const job = await session.client.call(
    jobRoutes.create,
    { params, body },
    { headers: { 'idempotency-key': randomUUID() } },
  );
  await showSubmitted(session, job, { ...options, env: settings.environment });
}

/** Uploads this folder as code. @returns its snapshot; null where the folder is empty */
export async function uploadCode(
  session: Session,
  at: { owner: string; project: string },
): Promise<string | null> {
  hint(`Uploading the code of ${at.owner}/projects/${at.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.', at.owner) : null;
  if (code) hint(sentText(code));
  return code?.snapshotId ?? null;
}

/** What is of a server has no place here. */
async function locally(
  command: string,
  settings: ReturnType<typeof readSettings>,
  options: Options,
): Promise<void> {
  const ofServer = ['sweep', 'retries', 'notify', 'tag', 'message', 'follow', 'json'] as const;
  const given = ofServer.filter((flag) => options[flag] !== undefined);
  if (given.length > 0) throw usage(`--${given.join(' and --')} can't be asked for together with --local`);
  if (settings.mode && settings.mode !== 'command')
    throw usage(`--mode ${settings.mode} needs a server, whose page leads to it: leave --local away`);
  const { runLocal } = await import('../local.js');
  await runLocal({
    command,
    settings,
    variables: readVariables(options.var),
    out: options.out,
    runner: options.runner,
  });
}

/** What to run: the words, or else the file's. @throws CommanderError where neither says so */
export function commandOf(mode: JobMode | undefined, words: string[], file: FolderSettings): string {
  const { name, tasks } = file;
  // The file's command for its other jobs is none for a Jupyter.
  const isMeant = mode !== 'jupyter' || /^jupyter(\s|$)/.test(file.command ?? '');
  const command = words.join(' ').trim() || (isMeant && file.command);
  if (command) return command;
  if (mode === 'jupyter') return jupyterCommand;
  if (name !== undefined && tasks.length > 0)
    throw usage(
      `say what to run: ${name} has no command for all tasks; choose ${tasks.map((task) => `--task ${task}`).join(' or ')}`,
    );
  const example = mode === 'serve' ? '--mode serve "node server.ts"' : '"python train.py"';
  const where = name === undefined ? 'or write `command: …` into mycloud.yml' : `for ${name} has no command`;
  throw usage(`say what to run, such as mycloud run ${example}, ${where}`);
}

export function warnOfPaths(command: string): void {
  for (const { written, meant, why } of wrongPaths(command))
    hint(`warning: ${written} ${why}; did you mean ${meant}?`);
}

/** The project of this folder. One that floyd began becomes ours here, once, and that is told. */
export async function projectHere(session: Session): Promise<{ owner: string; project: string }> {
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
