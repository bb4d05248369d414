import { AppError, type createScheduleBody, nearest, type scheduleRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import { isDuplicate } from '../database/faults.js';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { findProject, type ProjectRow } from '../jobs/access.js';
import { checkJob } from '../jobs/create.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { nextTime } from './cron.js';

const mostSchedules = 200;

/**
 * Makes a schedule; what it will submit is checked now, as a job is, and not first at night.
 * @returns its id
 * @throws AppError bad_request, not_found, forbidden, conflict (there is one of that name)
 */
export async function createSchedule(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; project: string },
  { cron, timezone, overlap, job, ...asked }: z.output<typeof createScheduleBody>,
): Promise<string> {
  const nextRunAt = nextTime(cron, timezone, new Date());
  const project = await findProject(deps, caller, at.owner, at.project, 'read');
  await checkJob(deps, caller, project, job);
  const { codeSnapshotId, ...rest } = job;
  const id = newId();
  const name = asked.name ?? (await freeName(deps, project));
  try {
    const { rowCount } = await deps.pool.query(
      `INSERT INTO "Schedule" (id, "projectId", "ownerId", name, cron, timezone, overlap, job, "codeSnapshotId", "nextRunAt")
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
       WHERE (SELECT count(*) FROM "Schedule" WHERE "ownerId" = $3) < $11`,
      [
        id,
        project.id,
        caller.userId,
        name,
        cron,
        timezone,
        overlap,
        JSON.stringify(rest),
        codeSnapshotId,
        nextRunAt,
        mostSchedules,
      ],
    );
    if (rowCount === 0) {
      throw new AppError('conflict', `you have ${mostSchedules} schedules already`, {
        hint: 'Delete one first: mycloud schedule delete NAME',
      });
    }
  } catch (cause) {
    if (!isDuplicate(cause)) throw cause;
    throw new AppError('conflict', `${at.owner}/projects/${at.project} has a schedule ${name} already`, {
      cause,
      hint: 'Choose another by --name, or delete that one first.',
    });
  }
  await deps.hub.publish({ type: 'schedule' });
  return id;
}

/** A person's schedule by its name. @throws AppError not_found (nearest names); as findProject does */
export async function findSchedule(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; project: string; name: string },
  need: 'read' | 'write',
): Promise<string> {
  const project = await findProject(deps, caller, at.owner, at.project, need);
  const { rows } = await deps.pool.query<{ id: string; name: string }>(
    'SELECT id, name FROM "Schedule" WHERE "projectId" = $1',
    [project.id],
  );
  const found = rows.find(({ name }) => name === at.name);
  if (found) return found.id;
  const names = rows.map(({ name }) => name);
  const near = nearest(at.name, names);
  throw new AppError('not_found', `${at.owner}/projects/${at.project} has no schedule ${at.name}`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : names.length > 0
          ? `It has ${names.slice(0, 5).join(', ')}.`
          : 'Make one: mycloud schedule create --cron "0 3 * * *" "COMMAND"',
  });
}

/** Pauses, resumes, or changes its times; those that pass while it is paused are not made up for. */
export async function updateSchedule(
  deps: Deps,
  id: string,
  change: z.output<typeof scheduleRoutes.update.body>,
): Promise<void> {
  const old = await one<{ cron: string; timezone: string; pausedAt: Date | null }>(
    deps.pool,
    'SELECT cron, timezone, "pausedAt" FROM "Schedule" WHERE id = $1',
    [id],
  );
  if (!old) throw new AppError('not_found', 'this schedule was deleted');
  const { cron = old.cron, timezone = old.timezone, paused = old.pausedAt !== null } = change;
  const next = nextTime(cron, timezone, new Date());
  const moved = cron !== old.cron || timezone !== old.timezone || (old.pausedAt !== null && !paused);
  await deps.pool.query(
    `UPDATE "Schedule" SET cron = $2, timezone = $3, overlap = COALESCE($4, overlap),
       "pausedAt" = CASE WHEN $5 THEN COALESCE("pausedAt", now()) END,
       "nextRunAt" = CASE WHEN $6 THEN $7 ELSE "nextRunAt" END WHERE id = $1`,
    [id, cron, timezone, change.overlap ?? null, paused, moved, next],
  );
  await deps.hub.publish({ type: 'schedule' });
}

export async function deleteSchedule(deps: Deps, id: string): Promise<void> {
  await deps.pool.query('DELETE FROM "Schedule" WHERE id = $1', [id]);
  await deps.hub.publish({ type: 'schedule' });
}

async function freeName(deps: Deps, project: ProjectRow): Promise<string> {
  const { rows } = await deps.pool.query<{ name: string }>(
    `SELECT name FROM "Schedule" WHERE "projectId" = $1 AND name ~ '^schedule-[0-9]+$'`,
    [project.id],
  );
  const last = Math.max(0, ...rows.map(({ name }) => Number(name.slice('schedule-'.length))));
  return `schedule-${last + 1}`;
}
