import { constants, copyFile, link, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AppError, datasetName, datasetRoutes, snapshotRoutes, type Version } from '@mycloud/shared';
import { type Entry, encodeManifest, fetchManifest, packManifest } from '@mycloud/snapshots';
import type { Session } from './context.js';
import { ensureDataset } from './datasets.js';
import { hint } from './output.js';
import { datasetRef } from './sources.js';
import { upload } from './transfer.js';

/**
 * Puts a file or folder into the newest version of a dataset, which makes the next one. Only what is new is sent: the rest is
 * named in the new version's manifest, and no byte of it moves.
 * @param to path in the dataset; one that ends in a slash, or is empty, is a folder to put it into
 */
export async function copyIntoDataset(
  session: Session,
  from: string,
  to: { name: string; path: string },
  message: string | undefined,
): Promise<Version> {
  const { number } = await datasetRef(session, to.name);
  if (number !== undefined)
    throw new AppError('bad_request', `${to.name} is a version, and versions don't change`, {
      hint: `Leave out the number: a new version is made of the newest.`,
    });
  const isDir = await stat(from).then(
    (found) => found.isDirectory(),
    (cause: NodeJS.ErrnoException) => {
      throw new AppError('not_found', `there is no ${path.resolve(from)}`, { cause });
    },
  );
  const inside = to.path.replace(/^\/+|\/+$/g, '');
  const isInto = inside === '' || to.path.endsWith('/');
  const base = path.basename(path.resolve(from));
  const at = isInto ? path.posix.join(inside, base) : inside;

  const params = await ensureDataset(session, to.name);
  const { latest } = await session.client.call(datasetRoutes.get, { params });
  const before = latest ? await fetchManifest(session.client, latest.snapshotId) : [];
  const sent = await uploadOne(session, from, isDir, params.owner);
  const added = (await fetchManifest(session.client, sent)).map((entry) => ({
    ...entry,
    path: isDir ? path.posix.join(at, entry.path) : at,
  }));
  const packed = await packManifest(encodeManifest(merged(before, added, { at, isDir })));
  const response = await session.client.open(
    snapshotRoutes.create,
    { query: { owner: params.owner } },
    { rawBody: packed },
  );
  const { id: snapshotId } = snapshotRoutes.create.response.parse(await response.json());
  const version = await session.client.call(datasetRoutes.addVersion, {
    params,
    body: {
      snapshotId,
      message: message ?? `${base} in /${at} of ${datasetName(params.owner, params.dataset, latest?.number)}`,
    },
  });
  if (version.number > (latest?.number ?? 0) + 1)
    hint(
      `warning: meanwhile version ${version.number - 1} was made; what is new in it is not in ${version.name}.`,
    );
  return version;
}

/** Stores a file or folder. @returns its snapshot; a file is alone in it */
async function uploadOne(session: Session, from: string, isDir: boolean, owner: string): Promise<string> {
  if (isDir) return (await upload(session, from, owner)).snapshotId;
  // A snapshot is of a folder: a second name for the file in one of its own costs nothing, and a copy is made where that can't be.
  const file = await realpath(from);
  const alone = await mkdtemp(path.join(path.dirname(file), '.mycloud-partial-')).catch(() =>
    mkdtemp(path.join(os.tmpdir(), 'mycloud-copy-')),
  );
  try {
    const name = path.join(alone, path.basename(from));
    await link(file, name).catch(() => copyFile(file, name, constants.COPYFILE_FICLONE));
    return (await upload(session, alone, owner)).snapshotId;
  } finally {
    await rm(alone, { recursive: true, force: true });
  }
}

/** The tree with what is added over what was there, and every folder above it. */
function merged(
  before: readonly Entry[],
  added: readonly Entry[],
  { at, isDir }: { at: string; isDir: boolean },
): Entry[] {
  const all = new Map(before.map((entry) => [entry.path, entry]));
  for (const folder of foldersAbove(at, isDir)) {
    const there = all.get(folder);
    if (there && there.type !== 'dir')
      throw new AppError('conflict', `/${folder} of the dataset is a ${there.type}, not a folder`);
    all.set(folder, { path: folder, type: 'dir', mode: 0o755 });
  }
  for (const entry of added) {
    const there = all.get(entry.path);
    if (there && (there.type === 'dir') !== (entry.type === 'dir'))
      throw new AppError(
        'conflict',
        `/${entry.path} of the dataset is a ${there.type}, here it is a ${entry.type}`,
        {
          hint: 'Name another place for it, such as DATASET:/FOLDER/.',
        },
      );
    all.set(entry.path, entry);
  }
  return [...all.values()];
}

function foldersAbove(at: string, isDir: boolean): string[] {
  const parts = at.split('/');
  return parts.slice(0, isDir ? undefined : -1).map((_, i) => parts.slice(0, i + 1).join('/'));
}
