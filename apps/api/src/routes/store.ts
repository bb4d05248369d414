import type { Readable } from 'node:stream';
import { AppError, storeRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { parseRange } from '../http/range.js';
import { serve } from '../http/route.js';
import type { DirectoryStore } from '../store/directory.js';

/** Signed URLs of the directory store. With S3 they go to the bucket itself, and these answer 404. */
export function storeRoutes(app: FastifyInstance, deps: Deps): void {
  // The body is a stream, counted and hashed on its way to the disk.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  const directory = (): DirectoryStore => {
    if (deps.store.kind === 'directory') return deps.store as DirectoryStore;
    throw new AppError('not_found', 'this server keeps its bytes in a bucket');
  };

  serve(app, contract.put, async ({ params, query, request }) => {
    const store = directory();
    store.checkPut(params.key, query);
    if (!request.body) throw new AppError('bad_request', 'the request has no body');
    await store.receive(params.key, request.body as Readable, query);
  });

  serve(app, contract.get, async ({ params, query, request, reply }) => {
    const store = directory();
    store.checkGet(params.key, query);
    const info = await store.stat(params.key);
    if (!info) throw new AppError('not_found', `the store has no ${params.key}`);
    const range = parseRange(request.headers.range, info.size);
    reply.header('accept-ranges', 'bytes').type('application/octet-stream');
    if (range) reply.status(206).header('content-range', `bytes ${range.start}-${range.end}/${info.size}`);
    reply.header('content-length', range ? range.end - range.start + 1 : info.size);
    return reply.send(await store.get(params.key, range));
  });
}
