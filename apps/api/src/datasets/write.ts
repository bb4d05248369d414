import { AppError, datasetName, type datasetRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import { isDangling } from '../database/faults.js';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { findWritableOwner } from '../teams/owner.js';
import { findVersion } from './access.js';
import { type DatasetRow, type VersionRow, withLatest } from './view.js';

/**
 * Makes a dataset of the caller's, or of a team of his, without versions yet.
 * @throws AppError conflict when there is one of that name; not_found, forbidden
 */
export async function createDataset(
  deps: Deps,
  caller: UserPrincipal,
  { owner, ...body }: z.output<typeof datasetRoutes.create.body>,
): Promise<DatasetRow> {
  const { db } = deps;
  const ownerId = await findWritableOwner(deps, caller, owner);
  const taken = await db.dataset.findUnique({
    where: { ownerId_name: { ownerId, name: body.name } },
  });
  if (taken)
    throw new AppError(
      'conflict',
      `${owner ?? 'you'} ${owner ? 'has' : 'have'} a dataset ${body.name} already`,
    );
  return db.dataset.create({ data: { ...body, ownerId }, include: withLatest });
}

/**
 * Makes a snapshot of the dataset's owner its next version, or answers the latest one when that is the same content.
 * @throws AppError not_found for a snapshot that is none of the owner's
 */
export async function addVersion(
  { db }: Deps,
  dataset: DatasetRow,
  { snapshotId, message }: { snapshotId: string; message: string },
): Promise<VersionRow> {
  const snapshot = await db.snapshot.findFirst({ where: { id: snapshotId, ownerId: dataset.ownerId } });
  const gone = (cause?: unknown) =>
    new AppError('not_found', `there is no snapshot ${snapshotId} of ${dataset.owner.name}`, {
      cause,
      hint: `Upload it first, for ${dataset.owner.name}.`,
    });
  if (!snapshot) throw gone();
  const made = db.$transaction(async (tx) => {
    // The row's lock makes versions come one after the other; numbers aren't used twice.
    const { lastVersion } = await tx.dataset.update({
      where: { id: dataset.id },
      data: { lastVersion: { increment: 1 } },
    });
    const latest = await tx.datasetVersion.findFirst({
      where: { datasetId: dataset.id },
      orderBy: { number: 'desc' },
      include: { snapshot: true },
    });
    if (latest?.snapshotId === snapshot.id) {
      await tx.dataset.update({ where: { id: dataset.id }, data: { lastVersion: { decrement: 1 } } });
      return latest;
    }
    return tx.datasetVersion.create({
      data: { datasetId: dataset.id, number: lastVersion, message, snapshotId: snapshot.id },
      include: { snapshot: true },
    });
  });
  return made.catch((error: unknown) => {
    throw isDangling(error) ? gone(error) : error;
  });
}

/** @throws AppError not_found; conflict while a job that has not ended uses it */
export async function deleteVersion(deps: Deps, dataset: DatasetRow, number: number): Promise<void> {
  const version = await findVersion(deps, dataset, number);
  await refuseInUse(deps, dataset, number);
  await deps.db.datasetVersion.delete({ where: { id: version.id } });
}

/** The `where` of mounts of a dataset, or of one version. LIKE, which Prisma asks by, takes `_` for any character. */
export const mountsOf = (dataset: DatasetRow, number?: number) =>
  number === undefined
    ? { startsWith: `${datasetName(dataset.owner.name, dataset.name)}/`.replaceAll('_', '\\_') }
    : datasetName(dataset.owner.name, dataset.name, number);

/** Jobs that have not ended need their inputs. @throws AppError conflict */
export async function refuseInUse({ db }: Deps, dataset: DatasetRow, number?: number): Promise<void> {
  const mount = await db.mount.findFirst({
    where: {
      source: mountsOf(dataset, number),
      job: { status: { in: ['queued', 'preparing', 'running'] } },
    },
    include: { job: { include: { project: true } } },
  });
  if (!mount) return;
  throw new AppError('conflict', `job ${mount.job.project.name}/${mount.job.number} uses ${mount.source}`, {
    hint: 'Wait for its end, or stop it.',
  });
}
