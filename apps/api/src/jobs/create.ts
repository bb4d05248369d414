import { createHash } from 'node:crypto';
import { AppError, type createJobBody } from '@mycloud/shared';
import { workContext } from '@mycloud/telemetry';
import type { z } from 'zod';
import type { EntryWithAction } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { ownRight, reaches } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { checkAddress } from '../notifications/address.js';
import { findProject, type ProjectRow } from './access.js';
import { newId } from './id.js';
import { modeOf } from './mode.js';
import { type ResolvedMount, resolveMount } from './mounts.js';
import { one, prepared, type Sql, transaction } from './sql.js';
import { refuseNul } from './text.js';
import { announceQueued } from './tickets.js';
import { queueJob } from './transitions/begin.js';

export type JobBody = z.output<typeof createJobBody>;

/**
 * With so many jobs waiting that any worker would take as well as a further one, each told of when it came, no worker that could
 * take it is asleep: all look for the next one whenever they have room. Should one be all the same, it looks every 10 s, and the
 * sweep tells of what waits for a minute.
 */
const enoughWakes = 64;

interface Beside {
  /** Mounts whose bytes are known already: they aren't looked up anew, whatever became of their source. */
  known?: ResolvedMount[];
  /** Which submits it. */
  schedule?: { id: string; name: string };
  /** Written with the job. */
  audit?: EntryWithAction;
}

/**
 * Submits a job and answers its id. With a key, the same call made again answers the same job.
 * @throws AppError bad_request, not_found (nearest names), forbidden, conflict (the key was used for another body)
 */
export async function createJob(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; project: string },
  body: JobBody,
  key: string | undefined,
  { known = [], schedule, audit }: Beside = {},
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
  const job = {
    ...body,
    ...limits,
    environment: environment.name,
    id,
    projectId: project.id,
    ownerId: caller.userId,
    teamId: project.ownerId === caller.userId ? null : project.ownerId,
    scheduleId: schedule?.id ?? null,
    traceparent: workContext().traceparent ?? null,
  };
  const said = [
    ...(schedule ? [{ type: 'scheduled', message: `submitted by the schedule ${schedule.name}` }] : []),
    ...(environment.note ? [{ type: 'note', message: environment.note }] : []),
  ];
  const place = `${project.owner}/projects/${project.name}/`;
  const queue = async (sql: Sql) => {
    const made = await queueJob(sql, job, mounts, said, audit && { ...audit, place });
    if (made) return { id, ...made };
    throw new AppError('not_found', `${project.name} was deleted meanwhile`);
  };
  const made = await (key === undefined
    ? queue(deps.pool)
    : transaction(deps.pool, async (sql) => {
        if (await takeKey(sql, caller.userId, key, bodyHash, id)) return queue(sql);
        return {
          id: await jobOfKey(sql, caller.userId, key, bodyHash),
          priority: undefined,
          number: 0,
          alike: 0,
        };
      }));
  if (!made.id) throw new AppError('conflict', 'this call was made twice at once', { hint: 'Try again.' });
  if (made.priority === undefined) return made.id;
  if (audit) audit.written = true;
  const { machine, mode } = body;
  deps.log.info(
    { jobId: id, job: `${place}${made.number}`, by: caller.name, machine, mode },
    'job submitted',
  );
  await deps.hub.publish({ type: 'job', jobId: id });
  if (made.alike < enoughWakes)
    await announceQueued(deps, { id, machine, priority: made.priority, attempt: 0 });
  return id;
}

function checkSubmitter(caller: UserPrincipal, project: ProjectRow): void {
  if (reaches(ownRight(caller, project.ownerId), 'write')) return;
  throw new AppError('forbidden', `${project.owner}/projects/${project.name} belongs to ${project.owner}`, {
    hint: caller.teams.has(project.ownerId)
      ? `You are a viewer of ${project.owner}; one of its admins can make you a member.`
      : 'Submit to a project of your own.',
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
  await checkCode(deps, [project.ownerId, caller.userId], body.codeSnapshotId);
  for (const address of body.notify) await checkAddress(deps, address);
  return { environment, limits, mounts };
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

/** @param owners for whom it may be stored: the project's owner, or (by a client that knows no teams) the submitter himself */
async function checkCode(deps: Deps, owners: string[], snapshotId: string | null): Promise<void> {
  if (snapshotId === null) return;
  const found = await one(deps.pool, 'SELECT 1 FROM "Snapshot" WHERE id = $1 AND "ownerId" = ANY($2)', [
    snapshotId,
    owners,
  ]);
  if (!found) {
    throw new AppError('not_found', `there is no code snapshot ${snapshotId} of yours`, {
      hint: 'Upload the code first: POST /v1/snapshots answers its id.',
    });
  }
}
