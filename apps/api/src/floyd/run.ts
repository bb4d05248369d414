import {
  AppError,
  createJobBody,
  type FloydRun,
  type floydCode,
  type floydRestartBody,
  restartJobBody,
} from '@mycloud/shared';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import type { JobBody } from '../jobs/create.js';
import { environmentOf } from './env.js';
import { readMount } from './mount.js';
import { checkMode, machineOf } from './words.js';
import { readYaml } from './yaml.js';

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

/** The settings of an upload of code that its id carries. @throws AppError bad_request for a mode that can't be run here */
export function codeSettings(code: z.output<typeof floydCode>): Omit<CodeId, 'snapshotId'> {
  const yaml = readYaml(code.yaml_config, code.task);
  checkMode(code.mode || yaml.mode || 'command');
  return { command: code.command ?? '', mode: code.mode ?? '', description: code.description ?? '' };
}

/**
 * What was said on the command line, else what floyd.yml says (its task before the rest), else the client's defaults.
 * @throws AppError bad_request
 */
export function jobBody(deps: Deps, run: FloydRun): JobBody {
  const code = readCodeId(run.module_id);
  const yaml = readYaml(run.yaml_config, run.task);
  checkMode(code.mode || yaml.mode || 'command');
  const command = run.command || code.command || yaml.command;
  if (!command) {
    throw new AppError('bad_request', 'say what to run', {
      hint: 'floyd run "COMMAND", or `command:` in floyd.yml.',
    });
  }
  const mounts = run.data_ids.length > 0 ? run.data_ids.map(readMount) : (yaml.input ?? []);
  return parse(createJobBody, {
    command,
    description: run.description || code.description || yaml.description || '',
    codeSnapshotId: code.snapshotId,
    machine: run.instance_type ? machineOf(run.instance_type) : (yaml.machine ?? 'cpu'),
    environment: environmentOf(deps, run.env || yaml.env || 'default'),
    maxRuntimeSeconds: run.max_runtime ?? yaml.max_runtime ?? null,
    mounts,
    // For floyd it is always on.
    tensorboard: true,
  });
}

/** What a restart changes; what it doesn't say stays. */
export function restartChange(deps: Deps, body: z.output<typeof floydRestartBody>) {
  const { instance_type, env, data_ids, description, command } = body;
  return parse(restartJobBody, {
    ...(instance_type && { machine: machineOf(instance_type) }),
    ...(env && { environment: environmentOf(deps, env) }),
    ...(data_ids && { mounts: data_ids.map(readMount) }),
    ...(description && { description }),
    ...(command && { command }),
  });
}

function parse<S extends z.ZodType>(schema: S, value: z.input<S>): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((one) => ({ path: one.path.join('.'), message: one.message }));
  throw new AppError('bad_request', 'the job can’t be run as asked', { errors });
}
