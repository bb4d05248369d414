import {
  AppError,
  createJobBody,
  type FloydRun,
  type floydCode,
  type floydRestartBody,
  jupyterEnvironment,
  parseMount,
  placeMounts,
  restartJobBody,
} from '@mycloud/shared';
import { type JobFileSettings, readJobFile, taskSettings } from '@mycloud/shared/job-file';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import type { JobBody } from '../jobs/create.js';
import { environmentOf } from './env.js';
import { commandOf, machineOf, modeOf } from './words.js';

/**
 * What an upload of code answers as its id, and the run that follows sends back: the snapshot, with the settings that come
 * with the code and not with the run. Kept by the client, so that nothing has to be kept, and swept, here.
 */
const codeIdSchema = z.object({
  snapshotId: z.uuid(),
  command: z.string(),
  mode: z.string(),
  description: z.string(),
});
type CodeId = z.output<typeof codeIdSchema>;

export const writeCodeId = (code: CodeId): string => Buffer.from(JSON.stringify(code)).toString('base64url');

function readCodeId(text: string): CodeId {
  try {
    return codeIdSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (cause) {
    throw new AppError('bad_request', 'the code of this job was not uploaded to this server', {
      cause,
      hint: 'Run the command again.',
    });
  }
}

/** The settings of an upload of code that its id carries. @throws AppError bad_request for a mode there never was */
export function codeSettings(code: z.output<typeof floydCode>): Omit<CodeId, 'snapshotId'> {
  const yaml = fileSettings(code.yaml_config, code.task);
  modeOf(code.mode || yaml.mode || 'command');
  return { command: code.command ?? '', mode: code.mode ?? '', description: code.description ?? '' };
}

/**
 * What was said on the command line, else what floyd.yml says (its task before the rest), else the client's defaults.
 * @throws AppError bad_request
 */
export function jobBody(deps: Deps, run: FloydRun): JobBody {
  const code = readCodeId(run.module_id);
  const yaml = fileSettings(run.yaml_config, run.task);
  const mode = modeOf(code.mode || yaml.mode || 'command');
  const command = run.command || code.command || yaml.command || commandOf[mode];
  if (!command) {
    throw new AppError('bad_request', 'say what to run', {
      hint: 'floyd run "COMMAND", or `command:` in floyd.yml.',
    });
  }
  return parse(createJobBody, {
    command,
    description: run.description || code.description || yaml.description || '',
    codeSnapshotId: code.snapshotId,
    machine: run.instance_type ? machineOf(run.instance_type) : (yaml.machine ?? 'cpu'),
    mode,
    environment: environmentOf(
      deps,
      run.env || yaml.env || (mode === 'jupyter' ? jupyterEnvironment : 'default'),
    ),
    maxRuntimeSeconds: run.max_runtime ?? yaml.max_runtime,
    mounts: run.data_ids.length > 0 ? readMounts(run.data_ids) : (yaml.input ?? []),
    // For floyd it is on unless its file says otherwise.
    tensorboard: yaml.tensorboard ?? true,
    notify: yaml.notify ?? [],
  });
}

/** What a restart changes; what it doesn't say stays. */
export function restartChange(deps: Deps, body: z.output<typeof floydRestartBody>) {
  const { instance_type, env, data_ids, description, command } = body;
  return parse(restartJobBody, {
    ...(instance_type && { machine: machineOf(instance_type) }),
    ...(env && { environment: environmentOf(deps, env) }),
    ...(data_ids && { mounts: readMounts(data_ids) }),
    ...(description && { description }),
    ...(command && { command }),
  });
}

const fileName = 'floyd.yml';

/** What the folder's floyd.yml says, its task before the rest. @throws AppError naming what is wrong in it, by line */
const fileSettings = (text: string | null | undefined, task: string | null | undefined): JobFileSettings =>
  taskSettings(readJobFile(text ?? '', fileName), fileName, task ?? undefined);

/** DATA:MOUNT, each, as the client sends it: the id of data is its name here. */
function readMounts(texts: string[]) {
  const written = texts.map((text) => {
    const mount = parseMount(text);
    if (mount) return mount;
    throw new AppError('bad_request', `"${text}" is no DATA:MOUNT`);
  });
  const placed = placeMounts(written);
  if (placed) return placed;
  throw new AppError('bad_request', 'several mounts have no folder', { hint: 'Write each as DATA:FOLDER.' });
}

function parse<S extends z.ZodType>(schema: S, value: z.input<S>): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((one) => ({ path: one.path.join('.'), message: one.message }));
  throw new AppError('bad_request', 'the job can’t be run as asked', { errors });
}
