import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { materialize, openHashCache, uploadFolder } from '@mycloud/snapshots';
import { cacheFolder, type Session } from './context.js';
import { transferBar } from './output.js';
import { bytesText, countText } from './text.js';

/** Uploads a folder for an owner, oneself or a team, with a bar on stderr; what is stored for him is not sent again. */
export async function upload(session: Session, dir: string, owner: string) {
  const cache = openHashCache(path.join(cacheFolder(), 'folders'));
  const bar = transferBar();
  try {
    return await uploadFolder({
      client: session.client,
      dir,
      owner,
      ignore: true,
      cache,
      onProgress: ({ phase, bytes, totalBytes }) =>
        bar.show({ what: phase === 'send' ? 'sending' : 'reading', done: bytes, total: totalBytes }),
    });
  } finally {
    bar.end();
  }
}

/** Downloads a snapshot, or what `select` picks of it, into a folder. */
async function download(
  session: Session,
  snapshotId: string,
  dir: string,
  select?: (path: string) => boolean,
) {
  await mkdir(dir, { recursive: true });
  return withTransferBar((onProgress) =>
    materialize({ client: session.client, snapshotId, dir, select, onProgress }),
  );
}

/** Shows a bar of what is fetched while that lasts. */
export async function withTransferBar<T>(
  fetching: (onProgress: (now: { bytes: number; totalBytes: number }) => void) => Promise<T>,
): Promise<T> {
  const bar = transferBar();
  try {
    return await fetching(({ bytes, totalBytes }) =>
      bar.show({ what: 'fetching', done: bytes, total: totalBytes }),
    );
  } finally {
    bar.end();
  }
}

/** Picks one file or folder of a tree, and the folders that lead to it. */
export const below = (wanted: string) => {
  const clean = wanted.replace(/^\/+|\/+$/g, '');
  return (candidate: string): boolean => candidate === clean || candidate.startsWith(`${clean}/`);
};

/** Downloads a snapshot, or only a path of it. @throws AppError not_found when there is nothing at that path */
export async function downloadPart(
  session: Session,
  source: { name: string; snapshotId: string },
  dir: string,
  wanted: string | undefined,
) {
  const select = wanted === undefined ? undefined : below(wanted);
  const written = await download(session, source.snapshotId, dir, select);
  if (written.files === 0 && wanted)
    throw new AppError('not_found', `there is no ${wanted} in ${source.name}`);
  return written;
}

/** What an upload came to: "2 files, 1.0 KB; 97 B were new." */
export function sentText({
  files,
  bytes,
  sentBytes,
}: {
  files: number;
  bytes: number;
  sentBytes: number;
}): string {
  const fresh = sentBytes > 0 ? `${bytesText(sentBytes)} were new` : 'nothing was new';
  return `${countText(files, 'file')}, ${bytesText(bytes)}; ${fresh}.`;
}
