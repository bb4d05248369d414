import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { RouteContract } from '@mycloud/shared';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Deps } from '../deps.js';

/** Addresses that the page itself leads to: each gets the same document, whose script shows what is asked for. */
const ownPaths = [
  '/',
  '/login',
  '/jobs',
  '/compare',
  '/datasets',
  '/schedules',
  '/cluster',
  '/tensorboard',
  '/account',
  '/:owner/projects/*',
  '/:owner/datasets/*',
];

/** Nothing but the page's own files runs in it, and nobody frames it. Pictures from users' files are shown, never run. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  // TensorBoard, which is sandboxed.
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Workers have the policy of the file they are: one cuts files by WebAssembly and sends them to the store, a bucket too. */
const workerPolicy = (bucket: string | undefined): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src 'self'${bucket ? ` ${new URL(bucket).origin}` : ''}`,
  ].join('; ');

const contract = (url: string): RouteContract => ({
  method: 'GET',
  path: url,
  auth: 'none',
  tag: 'page',
  summary: 'The page',
  raw: { response: 'text/html' },
});

/** Serves what the build of apps/web made. Its files tell nothing of anybody: whoever asks may have them. */
export async function pageRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  const root = path.dirname(fileURLToPath(import.meta.resolve('@mycloud/web')));
  await app.register(fastifyStatic, { root, serve: false, preCompressed: true, cacheControl: false });
  const route = (url: string, handler: (reply: FastifyReply, rest: string) => unknown) =>
    app.route<{ Params: { '*'?: string } }>({
      method: 'GET',
      url,
      config: { contract: contract(url) },
      schema: { hide: true },
      handler: (request, reply) => handler(reply, request.params['*'] ?? ''),
    });

  const document = (reply: FastifyReply) => {
    if (!existsSync(path.join(root, 'index.html'))) {
      return reply
        .status(503)
        .type('text/plain; charset=utf-8')
        .send('The page is not built: run `npm run build` in the checkout of mycloud.\n');
    }
    return reply
      .header('content-security-policy', policy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'same-origin')
      .header('cache-control', 'no-cache')
      .sendFile('index.html');
  };
  for (const url of ownPaths) route(url, document);
  // Their names hold a hash of their content: what was got once need not be asked for again.
  route('/assets/*', (reply, rest) =>
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('content-security-policy', workerPolicy(deps.config.s3?.endpoint))
      .header('x-content-type-options', 'nosniff')
      .sendFile(`assets/${rest}`),
  );
}
