import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { materialize, openHashCache, uploadFolder } from '@mycloud/snapshots';
import { cacheFolder, type Session } from './context.js';
import { transferBar } from './output.js';
import { bytesText, countText } from './text.js';

/** Uploads a folder with a bar on stderr; what the server has is not sent again. */
export async function upload(session: Session, dir: string) {
  const cache = openHashCache(path.join(cacheFolder(), 'folders'));
  const bar = transferBar();
  try {
    return await uploadFolder({
      client: session.client,
      dir,
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
export async function download(
  session: Session,
  snapshotId: string,
  dir: string,
  select?: (path: string) => boolean,
) {
  await mkdir(dir, { recursive: true });
  const bar = transferBar();
  try {
    return await materialize({
      client: session.client,
      snapshotId,
      dir,
      select,
      onProgress: ({ bytes, totalBytes }) => bar.show({ what: 'fetching', done: bytes, total: totalBytes }),
    });
  } finally {
    bar.end();
  }
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
