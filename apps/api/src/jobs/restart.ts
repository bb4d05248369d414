import { AppError, type restartJobBody } from '@mycloud/shared';
import type { z } from 'zod';
import type { EntryWithAction } from '../audit/record.js';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import type { JobRef } from './access.js';
import { createJob, type JobBody } from './create.js';
import type { ResolvedMount } from './mounts.js';
import { one } from './sql.js';

/**
 * Submits a job with another's code and settings, changed where `change` says so, and answers its id. The values of its own
 * environment variables go from the one to the other without leaving the server. Mounts that stay are the same bytes again.
 * @throws AppError forbidden in another's project; as createJob does
 */
export async function restartJob(
  deps: Deps,
  caller: UserPrincipal,
  job: JobRef,
  change: z.output<typeof restartJobBody>,
  key: string | undefined,
  audit?: EntryWithAction,
): Promise<string> {
  const old = await one<JobBody>(
    deps.pool,
    `SELECT mode, command, description, tags, "codeSnapshotId", machine, environment, env, tensorboard,
       "maxRuntimeSeconds", retries, "idleSeconds", notify FROM "Job" WHERE id = $1`,
    [job.id],
  );
  if (!old) throw new AppError('not_found', 'this job was deleted');
  const { rows: known } = await deps.pool.query<ResolvedMount>(
    'SELECT name, source, "snapshotId" FROM "Mount" WHERE "jobId" = $1 ORDER BY name',
    [job.id],
  );
  const mounts = known.map(({ name, source }) => ({ name, source }));
  // Of another mode, it has that mode's limits of time, unless they are said too.
  const times =
    change.mode === undefined || change.mode === old.mode
      ? {}
      : { maxRuntimeSeconds: undefined, idleSeconds: undefined };
  const body: JobBody = { ...old, ...times, mounts, ...change, env: changedEnv(old.env, change.env) };
  const at = { owner: job.project.owner, project: job.project.name };
  return createJob(deps, caller, at, body, key, { known, audit });
}

function changedEnv(
  old: Record<string, string>,
  change: Record<string, string | null> = {},
): Record<string, string> {
  const all = Object.entries({ ...old, ...change });
  return Object.fromEntries(all.filter((one): one is [string, string] => one[1] !== null));
}
