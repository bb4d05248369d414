import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Client, type RouteContract, snapshotRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { missingChunks } from './chunks.js';
import { commitPack, createPack, packKey } from './packs.js';
import { createSnapshot, findKept, viewSnapshot } from './snapshots.js';

/**
 * Makes a folder on this machine's disk a snapshot of an owner, exactly as a client's upload would: chunked, deduplicated,
 * counted to the quota.
 * @throws AppError bad_request for what can't be stored (links that leave it, devices), quota_exceeded, unavailable
 */
export async function storeFolder(
  deps: Deps,
  ownerId: string,
  dir: string,
  signal?: AbortSignal,
): Promise<{ snapshotId: string; files: number; bytes: number }> {
  return uploadFolder({
    client: ownClient(deps, ownerId),
    dir,
    signal,
    put: ({ id, size, parts }) =>
      deps.store.put(packKey(ownerId, id), Readable.from(parts, { objectMode: false }), size),
  });
}

/** What an upload asks of the snapshot routes, answered without a way over the network. */
function ownClient(deps: Deps, ownerId: string): Client {
  type Input = { params: never; body: never };
  const answers = new Map<RouteContract, (input: Input) => Promise<unknown>>([
    [
      snapshotRoutes.missing,
      async ({ body }) => ({
        missing: await missingChunks(deps, ownerId, (body as { hashes: string[] }).hashes),
      }),
    ],
    [snapshotRoutes.createPack, ({ body }) => createPack(deps, ownerId, body)],
    [snapshotRoutes.commitPack, ({ params }) => commitPack(deps, ownerId, (params as { id: string }).id)],
    [
      snapshotRoutes.find,
      async ({ body }) => {
        const found = await findKept(deps, ownerId, (body as { hash: string }).hash);
        return { snapshot: found ? viewSnapshot(found) : null };
      },
    ],
  ]);
  return {
    url: '',
    call: (route, input) => answers.get(route)?.(input as unknown as Input) as never,
    async open(_create, _input, extra) {
      const packed = await buffer(extra?.rawBody as AsyncIterable<Uint8Array>);
      const made = await createSnapshot(deps, ownerId, packed);
      return Response.json(viewSnapshot(made));
    },
  };
}
