import { AppError, datasetName, jobName, nearest, parseSourceRef, type SourceRef } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { findJob } from './access.js';
import { one } from './sql.js';

export interface ResolvedMount {
  name: string;
  /** Full name with its version: what it named when the job was submitted, whatever comes later. */
  source: string;
  snapshotId: string;
}

/** What a mount's source names now, for this caller. @throws AppError bad_request, not_found (with the nearest names) */
export async function resolveMount(
  deps: Deps,
  caller: UserPrincipal,
  mount: { source: string; name: string },
): Promise<ResolvedMount> {
  const ref = parseSourceRef(mount.source, caller.name);
  const found = ref.kind === 'dataset' ? datasetVersion(deps, caller, ref) : jobOutput(deps, caller, ref);
  return { name: mount.name, ...(await found) };
}

async function datasetVersion(deps: Deps, caller: UserPrincipal, ref: SourceRef) {
  const dataset = await one<{ id: string }>(
    deps.pool,
    `SELECT d.id FROM "Dataset" d JOIN "User" u ON u.id = d."ownerId"
     WHERE u.name = $1 AND d.name = $2 AND (d.public OR d."ownerId" = ANY($3) OR $4)`,
    [ref.owner, ref.name, readableOwners(caller), caller.role === 'admin'],
  );
  if (!dataset) throw await unknownDataset(deps, caller, ref);
  const { rows } = await deps.pool.query<{ number: number; snapshotId: string }>(
    'SELECT number, "snapshotId" FROM "DatasetVersion" WHERE "datasetId" = $1 ORDER BY number DESC',
    [dataset.id],
  );
  const version = ref.number === undefined ? rows[0] : rows.find((row) => row.number === ref.number);
  if (!version) {
    const name = datasetName(ref.owner, ref.name, ref.number);
    if (rows.length === 0) {
      throw new AppError('bad_request', `${datasetName(ref.owner, ref.name)} has no version yet`, {
        hint: 'Run `mycloud data upload` in its folder.',
      });
    }
    const newest = rows.slice(0, 5).map((row) => datasetName(ref.owner, ref.name, row.number));
    throw new AppError('not_found', `there is no ${name}`, { hint: `There is ${newest.join(', ')}.` });
  }
  return {
    source: datasetName(ref.owner, ref.name, version.number),
    snapshotId: version.snapshotId,
  };
}

async function unknownDataset(deps: Deps, caller: UserPrincipal, ref: SourceRef) {
  const { rows } = await deps.pool.query<{ owner: string; name: string }>(
    `SELECT u.name AS owner, d.name FROM "Dataset" d JOIN "User" u ON u.id = d."ownerId"
     WHERE d.public OR d."ownerId" = ANY($1) OR $2 ORDER BY d."createdAt" DESC LIMIT 1000`,
    [readableOwners(caller), caller.role === 'admin'],
  );
  // A slip in the dataset's own name, then the right name under another owner, then a slip anywhere.
  const full = rows.map((row) => datasetName(row.owner, row.name));
  const ofOwner = rows.filter((row) => row.owner === ref.owner).map((row) => row.name);
  const near = new Set([
    ...nearest(ref.name, ofOwner).map((name) => datasetName(ref.owner, name)),
    ...rows.filter((row) => row.name === ref.name).map((row) => datasetName(row.owner, row.name)),
    ...nearest(datasetName(ref.owner, ref.name), full),
  ]);
  const names = [...near].slice(0, 3);
  return new AppError(
    'not_found',
    `there is no dataset ${datasetName(ref.owner, ref.name)}, or you may not see it`,
    {
      hint:
        names.length > 0
          ? `Did you mean ${names.join(' or ')}?`
          : 'Run `mycloud data list` to see those there are.',
    },
  );
}

async function jobOutput(deps: Deps, caller: UserPrincipal, ref: SourceRef) {
  const at = { owner: ref.owner, project: ref.name, number: ref.number ?? 0 };
  const job = await findJob(deps, caller, at, 'read');
  const row = await one<{ outputSnapshotId: string | null }>(
    deps.pool,
    'SELECT "outputSnapshotId" FROM "Job" WHERE id = $1',
    [job.id],
  );
  if (!row?.outputSnapshotId) {
    throw new AppError('bad_request', `${jobName(at)} has no output yet`, {
      hint: `It is ${job.status}; mount its output once it has saved one.`,
    });
  }
  return { source: `${jobName(at)}/output`, snapshotId: row.outputSnapshotId };
}
