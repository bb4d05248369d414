import path from 'node:path';
import type { Assignment } from '@mycloud/shared';
import type { PreparedEnvironment } from './environments/environment.js';
import type { JobPaths } from './runners/runner.js';

export interface JobEnvParts {
  assignment: Pick<Assignment, 'name' | 'attempt' | 'env'>;
  paths: JobPaths;
  environment: PreparedEnvironment;
  gpus: string[];
  /** The worker's PATH: all a job gets of its environment, unless it is in an image. */
  basePath: string;
}

/** A job's environment, built from nothing: no secret of the worker can be in it. */
export function jobEnv({
  assignment,
  paths,
  environment,
  gpus,
  basePath,
}: JobEnvParts): Record<string, string> {
  const input = paths.mounts.find((mount) => mount.name === 'input') ?? paths.mounts[0];
  const isOnly = paths.mounts.length === 1 || input?.name === 'input';
  return {
    LANG: 'C.UTF-8',
    // Python holds lines back when it doesn't write to a terminal.
    PYTHONUNBUFFERED: '1',
    CUDA_VISIBLE_DEVICES: gpus.join(','),
    ...environment.variables,
    ...assignment.env,
    PATH: [...environment.bins, assignment.env.PATH ?? environment.image?.path ?? basePath].join(
      path.delimiter,
    ),
    HOME: paths.home,
    TMPDIR: paths.tmp,
    FLOYDHUB: '1',
    MYCLOUD_JOB: assignment.name,
    MYCLOUD_ATTEMPT: String(assignment.attempt),
    ...(input && isOnly ? { MYCLOUD_INPUT: input.path } : {}),
    MYCLOUD_OUTPUT: paths.output,
    MYCLOUD_CODE: paths.code,
  };
}
