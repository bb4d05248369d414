import { Readable } from 'node:stream';
import { AppError, snapshotRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { parseRange } from '../http/range.js';
import { serve } from '../http/route.js';
import { readable, writerOf } from '../snapshots/access.js';
import { archive, entriesBelow } from '../snapshots/archive.js';
import { treeChanges } from '../snapshots/changes.js';
import { locateChunks, missingChunks } from '../snapshots/chunks.js';
import { findFile, listFolder, readFile } from '../snapshots/files.js';
import { folderSnapshot } from '../snapshots/folder.js';
import { commitPack, createPack } from '../snapshots/packs.js';
import { pictureType } from '../snapshots/pictures.js';
import { createSnapshot, findKept, openManifests, viewSnapshot } from '../snapshots/snapshots.js';

const downloadSeconds = 3600;
const maxPackedManifest = 256 * 1024 * 1024;

export function snapshotRoutes(app: FastifyInstance, deps: Deps): void {
  const manifestOf = openManifests(deps);
  app.addContentTypeParser(
    'application/gzip',
    { parseAs: 'buffer', bodyLimit: maxPackedManifest },
    (_request, body, done) => done(null, body),
  );

  serve(app, contract.missing, async ({ body, caller }) => {
    const owner = await writerOf(deps, caller, body.attempt, body.owner);
    return { missing: await missingChunks(deps, owner, body.hashes) };
  });

  serve(app, contract.createPack, async ({ body, caller }) =>
    createPack(deps, await writerOf(deps, caller, body.attempt, body.owner), body),
  );

  serve(app, contract.commitPack, async ({ params, body, caller }) =>
    commitPack(deps, await writerOf(deps, caller, body.attempt, body.owner), params.id),
  );

  serve(app, contract.create, async ({ query, caller, request }) => {
    const { jobId, attempt, fence, owner: named } = query;
    const proof = jobId && attempt && fence ? { jobId, attempt, fence } : undefined;
    const owner = await writerOf(deps, caller, proof, named);
    if (!Buffer.isBuffer(request.body)) {
      throw new AppError('bad_request', 'the body is not a gzipped manifest', {
        hint: 'Send it as application/gzip.',
      });
    }
    return viewSnapshot(await createSnapshot(deps, owner, request.body));
  });

  serve(app, contract.find, async ({ body, caller }) => {
    const found = await findKept(deps, await writerOf(deps, caller, body.attempt, body.owner), body.hash);
    return { snapshot: found ? viewSnapshot(found) : null };
  });

  serve(app, contract.get, async ({ params, caller }) =>
    viewSnapshot(await readable(deps, caller, params.id)),
  );

  serve(app, contract.manifest, async ({ params, caller, reply }) => {
    const snapshot = await readable(deps, caller, params.id);
    return reply.type('application/gzip').send(await deps.store.get(snapshot.manifestKey));
  });

  serve(app, contract.locate, async ({ params, body, caller }) => {
    const snapshot = await readable(deps, caller, params.id);
    const located = await locateChunks(deps, snapshot.ownerId, body.hashes);
    const packs = [...new Map(located.map((chunk) => [chunk.packId, chunk])).values()];
    const index = new Map(packs.map((pack, i) => [pack.packId, i]));
    return {
      packs: await Promise.all(
        packs.map(async ({ packId, key, packSize }) => ({
          id: packId,
          size: packSize,
          download: await deps.store.signGet(key, downloadSeconds),
        })),
      ),
      chunks: located.map(({ hash, offset, size, packId }) => ({
        hash,
        offset,
        size,
        pack: index.get(packId)!,
      })),
    };
  });

  serve(app, contract.files, async ({ params, query, caller }) => {
    const snapshot = await readable(deps, caller, params.id);
    return { items: listFolder(await manifestOf(snapshot), query.path) };
  });

  serve(app, contract.changes, async ({ params, query, caller }) => {
    const [now, before] = await Promise.all([
      readable(deps, caller, params.id).then(manifestOf),
      readable(deps, caller, query.since).then(manifestOf),
    ]);
    const { items, ...totals } = treeChanges(before, now);
    const end = query.from + query.limit;
    return { ...totals, items: items.slice(query.from, end), next: end < items.length ? end : null };
  });

  serve(app, contract.folder, async ({ params, body, caller }) => {
    const snapshot = await readable(deps, caller, params.id);
    return viewSnapshot(await folderSnapshot(deps, caller, snapshot, await manifestOf(snapshot), body.path));
  });

  serve(app, contract.file, async ({ params, query, caller, request, reply }) => {
    const snapshot = await readable(deps, caller, params.id);
    const file = findFile(await manifestOf(snapshot), query.path);
    const range = file.size > 0 ? parseRange(request.headers.range, file.size) : undefined;
    const { start, end } = range ?? { start: 0, end: file.size - 1 };
    const name = file.path.split('/').at(-1) ?? 'file';
    // What users wrote is never shown as a page of ours; only pictures that can hold no script go by their type.
    reply
      .type(pictureType(name) ?? 'application/octet-stream')
      // A snapshot never changes.
      .header('cache-control', 'private, max-age=3600')
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .header('content-security-policy', 'sandbox')
      .header('x-content-type-options', 'nosniff')
      .header('accept-ranges', 'bytes')
      .header('content-length', end - start + 1);
    if (range) reply.status(206).header('content-range', `bytes ${start}-${end}/${file.size}`);
    return reply.send(
      Readable.from(readFile(deps, snapshot.ownerId, file, start, end), { objectMode: false }),
    );
  });

  serve(app, contract.archive, async ({ params, query, caller, reply }) => {
    const snapshot = await readable(deps, caller, params.id);
    const entries = entriesBelow(await manifestOf(snapshot), query.path);
    const name = `${query.path.split('/').filter(Boolean).at(-1) ?? snapshot.hash.slice(0, 12)}.${query.format}`;
    reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .header('x-content-type-options', 'nosniff');
    return reply.send(archive(deps, snapshot, entries, query.format));
  });
}
