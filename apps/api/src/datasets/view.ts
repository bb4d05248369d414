import { type Dataset, datasetName, type Version } from '@mycloud/shared';

export interface VersionRow {
  id: string;
  number: number;
  message: string;
  snapshotId: string;
  createdAt: Date;
  snapshot: { hash: string; files: number; bytes: bigint; storedBytes: bigint };
}

export interface DatasetRow {
  id: string;
  ownerId: string;
  name: string;
  description: string;
  public: boolean;
  createdAt: Date;
  owner: { name: string };
  /** The newest, or none. */
  versions: VersionRow[];
}

export const viewVersion = (
  dataset: { owner: { name: string }; name: string },
  row: VersionRow,
): Version => ({
  id: row.id,
  name: datasetName(dataset.owner.name, dataset.name, row.number),
  number: row.number,
  message: row.message,
  snapshotId: row.snapshotId,
  snapshot: row.snapshot.hash,
  files: row.snapshot.files,
  bytes: Number(row.snapshot.bytes),
  storedBytes: Number(row.snapshot.storedBytes),
  createdAt: row.createdAt.toISOString(),
});

export const viewDataset = (row: DatasetRow): Dataset => ({
  id: row.id,
  owner: row.owner.name,
  name: row.name,
  description: row.description,
  public: row.public,
  latest: row.versions[0] ? viewVersion(row, row.versions[0]) : null,
  createdAt: row.createdAt.toISOString(),
});

/** What a DatasetRow needs beside its own columns. */
export const withLatest = {
  owner: { select: { name: true } },
  versions: { orderBy: { number: 'desc' }, take: 1, include: { snapshot: true } },
} as const;
