import type { Readable } from 'node:stream';
import { AppError, floydRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { receive } from '../uploads/receive.js';
import { announceSize, findUpload } from '../uploads/uploads.js';
import { isId } from './names.js';
import { originOf } from './origin.js';

const version = '1.0.0';
const octets = 'application/offset+octet-stream';

/** The bytes of an upload, by tus 1.0.0 (https://tus.io/protocols/resumable-upload): its core, and creation. */
export function tusRoutes(app: FastifyInstance, deps: Deps): void {
  app.addContentTypeParser(octets, (_request, payload, done) => done(null, payload));
  app.addHook('onSend', async (request, reply) => {
    if (request.routeOptions.url?.startsWith(contract.tusCreate.path))
      void reply.header('tus-resumable', version);
  });

  serve(app, contract.tusCreate, async ({ caller, request, reply }) => {
    const upload = await findUpload(deps, caller, uploadId(request));
    await announceSize(deps, upload, Number(request.headers['upload-length']));
    // Whole, with the host: the client takes it as it is.
    reply.header('location', `${originOf(deps, request)}${contract.tusCreate.path}${upload.id}`);
  });

  serve(app, contract.tusOffset, async ({ params, caller, reply }) => {
    const { size, received } = await findUpload(deps, caller, params.id);
    reply.header('upload-offset', received).header('cache-control', 'no-store');
    if (size !== null) reply.header('upload-length', size);
  });

  serve(app, contract.tusAppend, async ({ params, caller, request, reply }) => {
    const upload = await findUpload(deps, caller, params.id);
    const offset = Number(request.headers['upload-offset']);
    if (!Number.isSafeInteger(offset) || offset < 0 || request.headers['content-type'] !== octets) {
      throw new AppError('bad_request', 'a piece of an upload has an Upload-Offset, and is sent as octets', {
        hint: `Send Content-Type: ${octets}.`,
      });
    }
    reply.header('upload-offset', await receive(deps, upload, offset, request.body as Readable));
  });
}

/** Which upload is begun stands in `Upload-Metadata: filename BASE64`. */
function uploadId({ headers }: FastifyRequest): string {
  const metadata = String(headers['upload-metadata'] ?? '');
  const [, encoded = ''] = /(?:^|,)\s*filename ([A-Za-z0-9+/=]+)/.exec(metadata) ?? [];
  const id = Buffer.from(encoded, 'base64').toString();
  if (isId(id)) return id;
  throw new AppError('bad_request', 'this upload was not announced', {
    hint: 'Its id, from POST /api/v1/modules/, is the filename in Upload-Metadata.',
  });
}
