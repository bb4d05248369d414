import {
  type Chunk,
  type Entry,
  encodeManifest,
  Meter,
  type UploadProgress,
  withRetry,
} from '@mycloud/snapshots/browser';
import { call } from '../../api/call.js';
import { cutFiles } from './chunks.js';
import type { UploadTree } from './folder.js';
import { Sender } from './sender.js';

/**
 * Stores a tree as a snapshot, sending only chunks its owner, the user or a team, lacks; the same files give the same snapshot as by the command
 * line. (A browser tells no permissions: what could be run is stored as a plain file.)
 * @throws Error, AppError as the server said it
 */
export async function uploadTree(
  { files, folders, bytes }: Pick<UploadTree, 'files' | 'folders' | 'bytes'>,
  owner: string,
  onProgress: (progress: UploadProgress) => void,
): Promise<{ snapshotId: string; sentBytes: number }> {
  const meter = new Meter(onProgress);
  meter.found(files.length, bytes);
  const sender = new Sender(owner, (sent) => meter.sent(sent));
  const chunksOf = new Map(files.map(({ path }) => [path, [] as Chunk[]]));
  for await (const pieces of cutFiles(files)) {
    for (const { path, chunks, ended } of pieces) {
      const read = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
      meter.read(read, ended ? 1 : 0);
      chunksOf.get(path)!.push(...chunks.map(({ hash, size }) => ({ hash, size })));
    }
    await sender.add(pieces.flatMap((piece) => piece.chunks));
  }
  await sender.finish();
  meter.committing();
  const entries: Entry[] = [
    ...folders.map((path): Entry => ({ path, type: 'dir', mode: 0o755 })),
    ...[...chunksOf].map(([path, chunks]): Entry => {
      const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
      return { path, type: 'file', mode: 0o644, size, chunks };
    }),
  ];
  const packed = await gzip(encodeManifest(entries));
  const headers = { 'content-type': 'application/gzip' };
  const snapshot = await withRetry(() =>
    call('POST /v1/snapshots', { query: { owner } }, { rawBody: packed, headers }),
  );
  meter.finished();
  return { snapshotId: snapshot.id, sentBytes: sender.sentBytes };
}

const gzip = (bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> =>
  new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
