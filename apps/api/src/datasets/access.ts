import { AppError, datasetName, nearest } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Need, reaches, rightOver } from '../http/owners.js';
import { newestFirst } from '../http/page.js';
import type { UserPrincipal } from '../http/principal.js';
import { visible } from '../http/visible.js';
import { type DatasetRow, type VersionRow, withLatest } from './view.js';

/**
 * A dataset the caller may read, write or delete: by what he is to its owner (http/owners.ts); admins may all of it, everybody may
 * read a public one.
 * @throws AppError not_found with the nearest names; forbidden for a write to another's public one
 */
export async function findDataset(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; dataset: string },
  need: Need,
): Promise<DatasetRow> {
  const row = await deps.db.dataset.findFirst({
    where: { AND: [{ name: at.dataset, owner: { name: at.owner } }, visible(caller)] },
    include: withLatest,
  });
  if (!row) throw await unknownDataset(deps, caller, at);
  const right = rightOver(caller, row.ownerId);
  if (need !== 'read' && !reaches(right, need)) {
    const may = right === 'write' ? 'not delete of it' : 'only read it';
    throw new AppError(
      'forbidden',
      `${datasetName(at.owner, at.dataset)} belongs to ${at.owner}; you may ${may}`,
      { hint: right === 'none' ? undefined : `An admin of ${at.owner} can give you another role.` },
    );
  }
  return row;
}

async function unknownDataset(deps: Deps, caller: UserPrincipal, at: { owner: string; dataset: string }) {
  const known = await deps.db.dataset.findMany({
    where: visible(caller),
    include: { owner: true },
    take: 1000,
    orderBy: newestFirst,
  });
  const asked = datasetName(at.owner, at.dataset);
  const near = nearest(
    asked,
    known.map((dataset) => datasetName(dataset.owner.name, dataset.name)),
  );
  return new AppError('not_found', `there is no dataset ${asked}, or you may not see it`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : undefined,
  });
}

/** @throws AppError not_found, saying which is the newest */
export async function findVersion(deps: Deps, dataset: DatasetRow, number: number): Promise<VersionRow> {
  const row = await deps.db.datasetVersion.findUnique({
    where: { datasetId_number: { datasetId: dataset.id, number } },
    include: { snapshot: true },
  });
  if (row) return row;
  throw new AppError('not_found', `there is no ${datasetName(dataset.owner.name, dataset.name, number)}`, {
    hint: dataset.versions[0]
      ? `The newest version is ${dataset.versions[0].number}.`
      : 'It has no version yet.',
  });
}
