import { AppError, type Schedule, type ScheduleRun } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { prepared } from '../jobs/sql.js';

interface Row {
  id: string;
  owner: string;
  project: string;
  name: string;
  cron: string;
  timezone: string;
  overlap: Schedule['overlap'];
  pausedAt: Date | null;
  nextRunAt: Date;
  job: Pick<Schedule, 'command' | 'machine' | 'environment' | 'mounts'>;
  codeSnapshotId: string | null;
  createdAt: Date;
}

/** Joined: p the project, u its owner. */
const select = `SELECT c.id, u.name AS owner, p.name AS project, c.name, c.cron, c.timezone, c.overlap, c."pausedAt",
    c."nextRunAt", c.job, c."codeSnapshotId", c."createdAt"
  FROM "Schedule" c JOIN "Project" p ON p.id = c."projectId" JOIN "User" u ON u.id = p."ownerId"`;
const shownRuns = 10;

/** @param where a condition over c, p and u, with its values */
export async function viewSchedules(deps: Deps, where: string, values: unknown[]): Promise<Schedule[]> {
  const { rows } = await deps.pool.query<Row>(
    prepared(`${select} WHERE ${where} ORDER BY u.name, p.name, c.name LIMIT 1000`, values),
  );
  const runs = await lastRuns(
    deps,
    rows.map(({ id }) => id),
  );
  // Its environment variables, which may be secrets, stay here.
  return rows.map(({ pausedAt, nextRunAt, createdAt, job, ...row }) => ({
    ...row,
    paused: pausedAt !== null,
    nextRunAt: pausedAt ? null : nextRunAt.toISOString(),
    command: job.command,
    machine: job.machine,
    environment: job.environment,
    mounts: job.mounts,
    createdAt: createdAt.toISOString(),
    runs: runs.get(row.id) ?? [],
  }));
}

/** @throws AppError not_found when it was deleted meanwhile */
export async function viewSchedule(deps: Deps, id: string): Promise<Schedule> {
  const [schedule] = await viewSchedules(deps, 'c.id = $1', [id]);
  if (!schedule) throw new AppError('not_found', 'this schedule was deleted');
  return schedule;
}

async function lastRuns(deps: Deps, ids: string[]): Promise<Map<string, ScheduleRun[]>> {
  const { rows } = await deps.pool.query<
    Omit<ScheduleRun, 'dueAt' | 'ranAt'> & { scheduleId: string; dueAt: Date; ranAt: Date }
  >(
    prepared(
      `SELECT r."scheduleId", r."dueAt", r."ranAt", r.outcome, r.message, r.manual,
         u.name || '/projects/' || p.name || '/' || j.number AS job
       FROM unnest($1::uuid[]) s(id) CROSS JOIN LATERAL (
         SELECT * FROM "ScheduleRun" WHERE "scheduleId" = s.id ORDER BY id DESC LIMIT ${shownRuns}) r
       LEFT JOIN "Job" j ON j.id = r."jobId" LEFT JOIN "Project" p ON p.id = j."projectId"
       LEFT JOIN "User" u ON u.id = p."ownerId" ORDER BY r.id DESC`,
      [ids],
    ),
  );
  const bySchedule = new Map<string, ScheduleRun[]>();
  for (const { scheduleId, dueAt, ranAt, ...run } of rows) {
    const runs = bySchedule.get(scheduleId) ?? [];
    runs.push({ ...run, dueAt: dueAt.toISOString(), ranAt: ranAt.toISOString() });
    bySchedule.set(scheduleId, runs);
  }
  return bySchedule;
}
