import { createHash } from 'node:crypto';
import { AppError, type createJobBody, jobName } from '@mycloud/shared';
import { workContext } from '@mycloud/telemetry';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { checkAddress } from '../notifications/address.js';
import { findProject, type ProjectRow } from './access.js';
import { addEvent } from './events.js';
import { newId } from './id.js';
import { type Mode, modeOf } from './mode.js';
import { type ResolvedMount, resolveMount } from './mounts.js';
import { one, prepared, type Sql, transaction } from './sql.js';
import { refuseNul } from './text.js';
import { announceQueued } from './tickets.js';
import { queueJob } from './transitions/begin.js';

export type JobBody = z.output<typeof createJobBody>;

/**
 * Submits a job and answers its id. With a key, the same call made again answers the same job.
 * @param known mounts whose bytes are known already: they aren't looked up anew, whatever became of their source
 * @param schedule which submits it
 * @throws AppError bad_request, not_found (nearest names), forbidden, conflict (the key was used for another body)
 */
export async function createJob(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; project: string },
  body: JobBody,
  key: string | undefined,
  known: ResolvedMount[] = [],
  schedule: { id: string; name: string } | null = null,
): Promise<string> {
  if (key !== undefined && (key === '' || key.length > 200)) {
    throw new AppError('bad_request', 'an Idempotency-Key has 1 to 200 characters');
  }
  const project = await findProject(deps, caller, at.owner, at.project, 'read');
  checkSubmitter(caller, project);
  const bodyHash = createHash('sha256')
    .update(JSON.stringify([project.id, body]))
    .digest('hex');
  // Asked before anything is checked: a repeated call answers its job even if a dataset has gone since.
  const earlier = key === undefined ? undefined : await jobOfKey(deps.pool, caller.userId, key, bodyHash);
  if (earlier) return earlier;

  const { environment, limits, mounts } = await checkJob(deps, caller, project, body, known);

  const id = newId();
  const made = await transaction(deps.pool, async (sql) => {
    if (key !== undefined && !(await takeKey(sql, caller.userId, key, bodyHash, id))) {
      return { id: await jobOfKey(sql, caller.userId, key, bodyHash), priority: undefined, number: 0 };
    }
    const given = { ...body, ...limits, environment: environment.name, scheduleId: schedule?.id ?? null };
    await insert(sql, id, project, caller, given, mounts);
    if (schedule) {
      const message = `submitted by the schedule ${schedule.name}`;
      await addEvent(sql, { jobId: id, attempt: 0, type: 'scheduled', message });
    }
    if (environment.note) {
      await addEvent(sql, { jobId: id, attempt: 0, type: 'note', message: environment.note });
    }
    return one<{ id: string; priority: number; number: number }>(
      sql,
      'SELECT id, priority, number FROM "Job" WHERE id = $1',
      [id],
    );
  });
  if (!made?.id) throw new AppError('conflict', 'this call was made twice at once', { hint: 'Try again.' });
  if (made.priority === undefined) return made.id;
  const { machine, mode } = body;
  const job = jobName({ owner: project.owner, project: project.name, number: made.number });
  deps.log.info({ jobId: id, job, by: caller.name, machine, mode }, 'job submitted');
  await deps.hub.publish({ type: 'job', jobId: id });
  await announceQueued(deps, { id, machine: body.machine, priority: made.priority, attempt: 0 });
  return id;
}

function checkSubmitter(caller: UserPrincipal, project: ProjectRow): void {
  if (project.ownerId === caller.userId) return;
  throw new AppError('forbidden', `${project.owner}/projects/${project.name} belongs to ${project.owner}`, {
    hint: 'Submit to a project of your own.',
  });
}

/**
 * Looks whether a job could be submitted, and finds what its words mean now.
 * @throws AppError bad_request, not_found (nearest names), forbidden
 */
export async function checkJob(
  deps: Deps,
  caller: UserPrincipal,
  project: ProjectRow,
  body: JobBody,
  known: ResolvedMount[] = [],
) {
  checkSubmitter(caller, project);
  refuseNul({ command: body.command, description: body.description, ...body.env });
  deps.catalogue.machine(body.machine);
  const environment = deps.catalogue.environment(body.environment);
  const limits = modeOf(body, environment);
  const mounts = await Promise.all(
    body.mounts.map(
      (mount) =>
        known.find(({ source, name }) => source === mount.source && name === mount.name) ??
        resolveMount(deps, caller, mount),
    ),
  );
  await checkCode(deps, caller, body.codeSnapshotId);
  for (const address of body.notify) await checkAddress(deps, address);
  return { environment, limits, mounts };
}

async function insert(
  sql: Sql,
  id: string,
  project: ProjectRow,
  caller: UserPrincipal,
  body: JobBody & Mode & { scheduleId: string | null },
  mounts: ResolvedMount[],
): Promise<void> {
  const next = await one<{ number: number }>(
    sql,
    'UPDATE "Project" SET "lastJob" = "lastJob" + 1 WHERE id = $1 RETURNING "lastJob" AS number',
    [project.id],
  );
  if (!next) throw new AppError('not_found', `${project.name} was deleted meanwhile`);
  await queueJob(sql, {
    ...body,
    id,
    projectId: project.id,
    ownerId: caller.userId,
    number: next.number,
    traceparent: workContext().traceparent ?? null,
  });
  await sql.query(
    prepared(
      `INSERT INTO "Mount" ("jobId", name, source, "snapshotId")
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::uuid[])`,
      [id, mounts.map((m) => m.name), mounts.map((m) => m.source), mounts.map((m) => m.snapshotId)],
    ),
  );
}

/** @returns whether the key is this call's; a call with the same key at the same time is waited for */
async function takeKey(sql: Sql, userId: string, key: string, bodyHash: string, jobId: string) {
  const { rowCount } = await sql.query(
    prepared(
      `INSERT INTO "IdempotencyKey" ("userId", key, "bodyHash", "jobId") VALUES ($1, $2, $3, $4)
     ON CONFLICT ("userId", key) DO NOTHING`,
      [userId, key, bodyHash, jobId],
    ),
  );
  return rowCount === 1;
}

async function jobOfKey(sql: Sql, userId: string, key: string, bodyHash: string) {
  const row = await one<{ jobId: string; bodyHash: string; exists: boolean }>(
    sql,
    `SELECT k."jobId", k."bodyHash", j.id IS NOT NULL AS exists
     FROM "IdempotencyKey" k LEFT JOIN "Job" j ON j.id = k."jobId" WHERE k."userId" = $1 AND k.key = $2`,
    [userId, key],
  );
  if (!row) return undefined;
  if (row.bodyHash !== bodyHash) {
    throw new AppError('conflict', `the Idempotency-Key "${key}" was used for another job`, {
      hint: 'Send a new key with a new job.',
    });
  }
  if (!row.exists) throw new AppError('conflict', 'the job made with this Idempotency-Key was deleted');
  return row.jobId;
}

async function checkCode(deps: Deps, caller: UserPrincipal, snapshotId: string | null): Promise<void> {
  if (snapshotId === null) return;
  const found = await one(deps.pool, 'SELECT 1 FROM "Snapshot" WHERE id = $1 AND "ownerId" = $2', [
    snapshotId,
    caller.userId,
  ]);
  if (!found) {
    throw new AppError('not_found', `there is no code snapshot ${snapshotId} of yours`, {
      hint: 'Upload the code first: POST /v1/snapshots answers its id.',
    });
  }
}
