import { AppError, isEnd, type JobStatus, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { JobRef } from '../jobs/access.js';
import { one } from '../jobs/sql.js';
import type { HeldAttempt } from './tunnels.js';

/** The attempt of a job that runs; undefined while none does. */
export async function runningAttempt(deps: Deps, jobId: string): Promise<HeldAttempt | undefined> {
  return one<HeldAttempt>(
    deps.pool,
    `SELECT j.id AS "jobId", j.attempt, w.id AS "workerId", w.name AS worker FROM "Job" j
       JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt AND a."endedAt" IS NULL
       JOIN "Worker" w ON w.id = a."workerId"
     WHERE j.id = $1 AND j.status = 'running'`,
    [jobId],
  );
}

/** @throws AppError conflict saying where the job stands and what to do */
export async function requireRunning(deps: Deps, job: JobRef): Promise<HeldAttempt> {
  const held = await runningAttempt(deps, job.id);
  if (held) return held;
  const name = jobName({ owner: job.project.owner, project: job.project.name, number: job.number });
  const status = job.status as JobStatus;
  if (isEnd(status)) {
    throw new AppError('conflict', `${name} has ended (${status}); a command needs it to run`, {
      hint: `Run it again: mycloud restart ${name}. Its files: mycloud output ${name}.`,
    });
  }
  throw new AppError('conflict', `${name} is ${status}; a command needs it to run`, {
    hint:
      status === 'saving'
        ? `Its command has ended. Run it again: mycloud restart ${name}.`
        : `See how it gets on: mycloud status ${name}.`,
  });
}
