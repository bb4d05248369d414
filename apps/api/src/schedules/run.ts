import { AppError, type CreateJob, createJobBody, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { rightsOf, type UserPrincipal, withTeams } from '../http/principal.js';
import { createJob } from '../jobs/create.js';
import { one, type Sql, transaction } from '../jobs/sql.js';
import { nextTime } from './cron.js';

interface DueSchedule {
  id: string;
  name: string;
  cron: string;
  timezone: string;
  overlap: 'skip' | 'queue';
  job: Omit<CreateJob, 'codeSnapshotId'>;
  codeSnapshotId: string | null;
  nextRunAt: Date;
  project: string;
  projectOwner: string;
  ownerId: string;
}

const select = `SELECT c.id, c.name, c.cron, c.timezone, c.overlap, c.job, c."codeSnapshotId", c."nextRunAt", p.name AS project,
    po.name AS "projectOwner", c."ownerId"
  FROM "Schedule" c JOIN "Project" p ON p.id = c."projectId" JOIN "User" po ON po.id = p."ownerId"`;

/** A clock may tick so much before the time that this api's own shows. */
const earlyMs = 2000;
/** Later than this the run says why. */
const lateMs = 60_000;

/**
 * Runs a schedule if it is due. However many apis try at once, and however often the clock says so, each time runs once: the row
 * is locked, and moved on to its next time with the run. Of times that passed while nobody was there, one runs.
 * @throws AppError unavailable, with the schedule as due as it was
 */
export function runDue(deps: Deps, scheduleId: string): Promise<void> {
  return transaction(deps.pool, async (sql) => {
    const now = new Date();
    const schedule = await one<DueSchedule>(
      sql,
      `${select} WHERE c.id = $1 AND c."pausedAt" IS NULL AND c."nextRunAt" <= $2 FOR NO KEY UPDATE OF c SKIP LOCKED`,
      [scheduleId, new Date(now.getTime() + earlyMs)],
    );
    if (!schedule) return;
    const dueAt = schedule.nextRunAt;
    const run = await submitUnlessBusy(deps, sql, schedule, dueAt);
    const lateBy = now.getTime() - dueAt.getTime();
    const late =
      lateBy > lateMs ? `${Math.round(lateBy / 60_000)} minutes late: the server was away at its time` : '';
    await sql.query(
      `INSERT INTO "ScheduleRun" ("scheduleId", "dueAt", outcome, message, "jobId") VALUES ($1, $2, $3, $4, $5)`,
      [schedule.id, dueAt, run.outcome, run.message || late, run.jobId],
    );
    const next = nextTime(schedule.cron, schedule.timezone, now > dueAt ? now : dueAt);
    await sql.query('UPDATE "Schedule" SET "nextRunAt" = $2 WHERE id = $1', [schedule.id, next]);
    deps.metrics.scheduleRuns.inc({ outcome: run.outcome });
    deps.log.info({ scheduleId, schedule: schedule.name, dueAt, next, ...run }, 'schedule was due');
  });
}

/** Submits its job by a person's word, whatever its times and its last job. @throws AppError as createJob does */
export async function runNow(deps: Deps, scheduleId: string): Promise<string> {
  const schedule = await one<DueSchedule>(deps.pool, `${select} WHERE c.id = $1`, [scheduleId]);
  if (!schedule) throw new AppError('not_found', 'this schedule was deleted');
  const jobId = await submit(deps, schedule, undefined);
  await deps.pool.query(
    `INSERT INTO "ScheduleRun" ("scheduleId", "dueAt", outcome, "jobId", manual) VALUES ($1, now(), 'submitted', $2, true)`,
    [scheduleId, jobId],
  );
  deps.metrics.scheduleRuns.inc({ outcome: 'submitted' });
  return jobId;
}

interface Run {
  outcome: 'submitted' | 'skipped' | 'failed';
  message: string;
  jobId: string | null;
}

async function submitUnlessBusy(deps: Deps, sql: Sql, schedule: DueSchedule, dueAt: Date): Promise<Run> {
  const busy = schedule.overlap === 'skip' && (await unfinishedJob(sql, schedule.id));
  if (busy) return { outcome: 'skipped', message: `${busy} has not ended`, jobId: null };
  try {
    const jobId = await submit(deps, schedule, `schedule ${schedule.id} ${dueAt.toISOString()}`);
    return { outcome: 'submitted', message: '', jobId };
  } catch (error) {
    // What may be otherwise in a moment leaves it due; what its owner has to mend is told, and the next time comes.
    if (!(error instanceof AppError) || error.code === 'unavailable' || error.code === 'internal')
      throw error;
    const message = [error.message, error.hint].filter(Boolean).join('. ');
    return { outcome: 'failed', message, jobId: null };
  }
}

async function unfinishedJob(sql: Sql, scheduleId: string): Promise<string | undefined> {
  const job = await one<{ owner: string; project: string; number: number }>(
    sql,
    `SELECT u.name AS owner, p.name AS project, j.number FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
       JOIN "User" u ON u.id = p."ownerId"
     WHERE j."scheduleId" = $1 AND j.status IN ('queued','preparing','running','saving') LIMIT 1`,
    [scheduleId],
  );
  return job && jobName(job);
}

/** @param key of this time: an api that died between the job and its note makes no second one */
async function submit(deps: Deps, schedule: DueSchedule, key: string | undefined): Promise<string> {
  const where = { id: schedule.ownerId };
  const owner = await deps.db.user.findUniqueOrThrow({ where, include: withTeams });
  if (owner.disabledAt) throw new AppError('forbidden', `${owner.name}, who made it, was disabled`);
  const caller: UserPrincipal = { kind: 'user', userId: owner.id, name: owner.name, ...rightsOf(owner) };
  const at = { owner: schedule.projectOwner, project: schedule.project };
  // As it was written by whatever release made the schedule.
  const body = createJobBody.parse({ ...schedule.job, codeSnapshotId: schedule.codeSnapshotId });
  const attributes = { 'mycloud.schedule': schedule.name, 'mycloud.schedule_id': schedule.id };
  return deps.tracing.span('schedule', { attributes }, () =>
    createJob(deps, caller, at, body, key, { schedule: { id: schedule.id, name: schedule.name } }),
  );
}
