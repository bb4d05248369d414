import { readFile } from 'node:fs/promises';
import { AppError, type RestartJob } from '@mycloud/shared';
import type { JobFileSettings } from '@mycloud/shared/job-file';
import { jobFileNames } from './folder.js';
import { hint } from './output.js';

/** What the folder's own file says of the job to be run. */
export interface FolderSettings {
  /** The file's name; undefined where there is none. */
  name?: string;
  /** What of it can be chosen by --task. */
  tasks: string[];
  command?: string;
  mode?: JobFileSettings['mode'];
  settings: Omit<RestartJob, 'env' | 'command'>;
}

/** Reads `mycloud.yml` or `floyd.yml` of this folder. @throws AppError for one that can't be used, or has no such task */
export async function folderSettings(task: string | undefined): Promise<FolderSettings> {
  const found: { name: string; text: string }[] = [];
  for (const name of jobFileNames) {
    const text = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new AppError('bad_request', `${name} can't be read: ${error.message}`, { cause: error });
    });
    if (text !== undefined) found.push({ name, text });
  }
  const [first, ...others] = found;
  if (!first) {
    if (task === undefined) return { tasks: [], settings: {} };
    throw new AppError('not_found', `there is no task "${task}": this folder has no mycloud.yml`, {
      hint: 'Tasks stand under `task:` in mycloud.yml or floyd.yml.',
    });
  }
  if (others.length > 0)
    hint(`${first.name} is what counts, not ${others.map(({ name }) => name).join(' or ')}.`);
  // Most folders have none, and YAML is long to load.
  const { readJobFile, taskSettings } = await import('@mycloud/shared/job-file');
  const file = readJobFile(first.text, first.name);
  const { env, input, max_runtime, command, mode, ...same } = taskSettings(file, first.name, task);
  const settings = { ...same, environment: env, mounts: input, maxRuntimeSeconds: max_runtime };
  return {
    name: first.name,
    tasks: Object.keys(file.task),
    command,
    mode,
    settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  };
}
