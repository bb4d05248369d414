import { AppError, type AttemptProof } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { ownRight, reaches, readableOwners } from '../http/owners.js';
import type { Principal, UserPrincipal, WorkerPrincipal } from '../http/principal.js';
import { one } from '../jobs/sql.js';
import { findWritableOwner } from '../teams/owner.js';
import { lockAttempt } from '../workers/held.js';

export interface SnapshotRow {
  id: string;
  ownerId: string;
  hash: string;
  manifestKey: string;
  files: number;
  bytes: string;
  storedBytes: string;
  createdAt: Date;
}

/** The columns of a SnapshotRow. */
export const snapshotColumns = 'id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes", "createdAt"';

/**
 * Whose bytes are written: the caller's own or those of a team he names; for a worker, of the owner of the project whose job it
 * holds. @throws AppError stale_fence, not_found for a team that isn't his, forbidden for its viewers
 */
export async function writerOf(
  deps: Deps,
  caller: Principal,
  proof: AttemptProof | undefined,
  owner: string | undefined,
): Promise<string> {
  if (caller.kind === 'user')
    return owner === undefined ? caller.userId : findWritableOwner(deps, caller, owner);
  if (!proof)
    throw new AppError('bad_request', 'a worker writes for an attempt it holds', { hint: 'Send `attempt`.' });
  await lockAttempt(deps.pool, caller, proof);
  const job = await one<{ ownerId: string }>(
    deps.pool,
    'SELECT p."ownerId" FROM "Job" j JOIN "Project" p ON p.id = j."projectId" WHERE j.id = $1',
    [proof.jobId],
  );
  if (!job) throw new AppError('not_found', 'the job is gone');
  return job.ownerId;
}

/**
 * A snapshot the caller may read. A user: his own, his teams', an admin's any, one of a public dataset, or one of a job (code, input,
 * output) he may see. A worker: only those of jobs whose attempts it holds.
 * @throws AppError not_found
 */
export async function readable(deps: Deps, caller: Principal, id: string): Promise<SnapshotRow> {
  const snapshot = await one<SnapshotRow>(
    deps.pool,
    `SELECT ${snapshotColumns} FROM "Snapshot" WHERE id = $1`,
    [id],
  );
  if (snapshot && (await may(deps, caller, snapshot))) return snapshot;
  throw new AppError('not_found', `there is no snapshot ${id}, or you may not see it`);
}

const may = (deps: Deps, caller: Principal, snapshot: SnapshotRow): Promise<boolean> =>
  caller.kind === 'worker' ? workerMay(deps, caller, snapshot) : userMay(deps, caller, snapshot);

const ofJob = `(j."codeSnapshotId" = $1 OR j."outputSnapshotId" = $1
  OR EXISTS (SELECT 1 FROM "Mount" m WHERE m."jobId" = j.id AND m."snapshotId" = $1))`;

async function userMay(deps: Deps, caller: UserPrincipal, snapshot: SnapshotRow): Promise<boolean> {
  if (caller.role === 'admin' || reaches(ownRight(caller, snapshot.ownerId), 'read')) return true;
  const found = await one(
    deps.pool,
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM "DatasetVersion" v JOIN "Dataset" d ON d.id = v."datasetId"
         WHERE v."snapshotId" = $1 AND d.public)
       OR EXISTS (SELECT 1 FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
         WHERE (p.public OR p."ownerId" = ANY($2)) AND (j."codeSnapshotId" = $1 OR j."outputSnapshotId" = $1))
       OR EXISTS (SELECT 1 FROM "Mount" m JOIN "Job" j ON j.id = m."jobId" JOIN "Project" p ON p.id = j."projectId"
         WHERE m."snapshotId" = $1 AND p."ownerId" = ANY($2))`,
    [snapshot.id, readableOwners(caller)],
  );
  return found !== undefined;
}

async function workerMay(deps: Deps, caller: WorkerPrincipal, snapshot: SnapshotRow): Promise<boolean> {
  const found = await one(
    deps.pool,
    `SELECT 1 FROM "Worker" w JOIN "Attempt" a ON a."workerId" = w.id AND a."endedAt" IS NULL
       JOIN "Job" j ON j.id = a."jobId" WHERE mycloud_speaks_for($2, w) AND ${ofJob} LIMIT 1`,
    [snapshot.id, caller.tokenId],
  );
  return found !== undefined;
}
