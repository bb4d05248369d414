import { AppError, type JobStatus } from '@mycloud/shared';
import { isHeardOf } from '../../notifications/outbox.js';
import { isLimited } from '../running-limits.js';
import { one, type Sql } from '../sql.js';

/*
 * This folder is the only writer of a job's status. Every write names the job, the attempt, its fence and the status it leaves,
 * stands in one statement or transaction with its event, and is told to all apis once it is committed.
 * Locks are taken job first, attempt second; the job's is NO KEY UPDATE, so that rows that refer to it can be added meanwhile.
 */

export interface LockedJob {
  id: string;
  status: JobStatus;
  attempt: number;
  /** who submitted it */
  ownerId: string;
  teamId: string | null;
  /** whose its output is */
  projectOwner: string;
  machine: string;
  priority: number;
  retries: number;
  userFailures: number;
  stopRequestedBy: string | null;
  /** Who submitted it, or its team, may run only so much at once. */
  limited: boolean;
  /** Somebody wants to hear of its end. */
  heardOf: boolean;
}

/** Columns of a LockedJob, from a row of the job as `j` and of its project as `p`. */
export const lockedColumns = `j.id, j.status, j.attempt, j."ownerId", j."teamId", p."ownerId" AS "projectOwner", j.machine,
  j.priority, j.retries, j."userFailures", j."stopRequestedBy",
  ${isLimited} AS limited, ${isHeardOf} AS "heardOf"`;

/** holds: until the transaction ends, the job is nobody else's to change. */
export const lockJob = (sql: Sql, jobId: string): Promise<LockedJob | undefined> =>
  one<LockedJob>(
    sql,
    `SELECT ${lockedColumns} FROM "Job" j JOIN "Project" p ON p.id = j."projectId" WHERE j.id = $1 FOR NO KEY UPDATE OF j`,
    [jobId],
  );

export const staleFence = (attempt: number): AppError =>
  new AppError('stale_fence', `the lease of attempt ${attempt} of this job is over`, {
    hint: 'End this execution: another attempt may be running.',
  });
