import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { AppError } from '@mycloud/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { standIns } from '../http/stand-ins.js';

/**
 * What an event file can do. Its tags, run names, texts (markdown) and hyperparameters are anybody's words, and they are drawn by
 * TensorBoard's script, which has had holes for such words and needs `unsafe-eval`. So nothing that runs there may count as our
 * page: the sandbox gives its documents an origin of their own, which no cookie goes with, which can't read our page around
 * it, and to which the api answers nothing without a token. It may ask only this server, no other host; what it finds is the
 * jobs its own address leads to. TensorBoard itself only reads, is given event files and nothing else, and knows no secret.
 */
const sandbox = 'sandbox allow-scripts allow-popups allow-downloads allow-forms allow-modals';
const policy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline' data:",
  "font-src 'self' data:",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'none'",
  sandbox,
].join('; ');

/** What stands in for cookies and a storage, and how its page is to begin. */
export const pageScript = `${standIns}const asked = new URLSearchParams(location.search);
localStorage.setItem('_tb_global_settings', JSON.stringify({
  autoReload: asked.has('reload'),
  // A pane of settings takes a third of the room beside what one came for.
  timeSeriesSettingsPaneOpened: false,
  ...(asked.has('theme') && { themeOverride: asked.get('theme') }),
}));
`;
export const pageScriptName = 'mycloud-stand-ins.js';

const asked = ['accept', 'accept-encoding', 'content-type', 'content-length', 'x-tensorboard-feature-flags'];
const answered = [
  'content-type',
  'content-encoding',
  'content-length',
  'content-disposition',
  'cache-control',
];
const picked = (headers: IncomingHttpHeaders, names: readonly string[]) =>
  Object.fromEntries(names.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));

/** Headers of everything that is answered below a TensorBoard's address. */
export function guard(reply: FastifyReply, isPage: boolean): void {
  reply
    // Only our own page frames it; what it frames itself has ancestors of no origin.
    .header('content-security-policy', isPage ? `${policy}; frame-ancestors 'self'` : policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    // Its requests come from an origin of its own; no cookie goes with them, the address is what lets them in.
    .header('access-control-allow-origin', '*');
}

/**
 * Hands a request on to a TensorBoard, without what says who asks, and its answer back.
 * @param rest the address below the pass, as it was sent
 * @throws AppError unavailable when it doesn't answer
 */
export async function forward(
  to: { port: number; prefix: string },
  rest: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const isPage = /^\/(\?|$)/.test(rest);
  const headers = picked(request.headers, asked);
  if (isPage) headers['accept-encoding'] = 'identity';
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: to.port,
      path: to.prefix + rest,
      method: request.method,
      headers,
    };
    const sent = send(options, resolve);
    sent.once('error', reject);
    request.raw.once('close', () => reply.raw.writableEnded || sent.destroy());
    sent.end(request.body as Buffer | undefined);
  }).catch((cause: unknown) => {
    throw new AppError('unavailable', 'TensorBoard does not answer', { cause, hint: 'Open it again.' });
  });
  guard(reply, isPage);
  reply.status(answer.statusCode ?? 502).headers(picked(answer.headers, answered));
  if (!isPage) return reply.send(answer);
  const page = (await text(answer))
    .replace('<head>', `<head><script src="${pageScriptName}"></script>`)
    // Under a prefix it asks for its fonts at a wrong address.
    .replaceAll('url(/font-roboto/', 'url(font-roboto/');
  return reply.removeHeader('content-length').send(page);
}
