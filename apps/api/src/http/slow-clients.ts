import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode, errorStatus, toProblem } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';

export interface Patience {
  /** Milliseconds for a request's head, from the opening of the connection or the end of the request before. */
  headersMs: number;
  /** A body may rest, and be slower than `bytesPerSecond`, for so long; then it must have kept up with that from its start. */
  bodyMs: number;
  bytesPerSecond: number;
  /** How often is looked. */
  everyMs: number;
}

/** A modem of 1990 sent 1,200 bytes a second. */
export const patience: Patience = {
  headersMs: 20_000,
  bodyMs: 30_000,
  bytesPerSecond: 1_000,
  everyMs: 5_000,
};

interface Coming {
  request: IncomingMessage;
  response: ServerResponse;
  since: number;
  /** What the socket had read when it began. */
  from: number;
}

/**
 * Ends requests whose body doesn't come: a connection costs who holds it nothing, and the server memory and a descriptor. A
 * limit for the whole request would end large uploads on thin lines, so what counts is that bytes come. While the server itself
 * is the slower one (unread bytes wait) nobody is blamed. What is answered slowly, as event streams are, has no limit.
 */
export function endSlowBodies(
  app: FastifyInstance,
  { bodyMs, bytesPerSecond, everyMs }: Omit<Patience, 'headersMs'>,
): void {
  const coming = new Set<Coming>();
  app.addHook('onRequest', async ({ raw: request }, { raw: response }) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (encoding === undefined && (length === undefined || length === '0')) return;
    // It stays until its body has come, though it be answered before: what goes on coming still holds the connection.
    coming.add({ request, response, ...begun(request) });
  });
  const look = setInterval(() => {
    for (const one of coming) {
      const { request, response, since, from } = one;
      if (request.complete || request.socket.destroyed) coming.delete(one);
      else if (request.readableLength > 0) Object.assign(one, begun(request));
      else if (isLate(since, request.socket.bytesRead - from)) {
        coming.delete(one);
        if (response.headersSent) request.socket.destroy();
        else endSocket(request.socket, new AppError('too_slow', 'the body of the request came too slowly'));
      }
    }
  }, everyMs);
  look.unref();
  app.addHook('onClose', async () => clearInterval(look));

  const begun = ({ socket }: IncomingMessage) => ({ since: Date.now(), from: socket.bytesRead });
  const isLate = (since: number, bytes: number): boolean => {
    const ms = Date.now() - since;
    return ms > bodyMs && bytes < (ms / 1000) * bytesPerSecond;
  };
}

/** Answers what Node's parser refuses, before there is a request: it is no HTTP, too large, or came too slowly. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  endSocket(socket, brokenRequest(error.code));
}

function brokenRequest(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new AppError('headers_too_large', 'the address and headers of the request are larger than 16 KiB');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('too_slow', 'the request did not come whole in time');
  return new AppError('bad_request', 'this is no HTTP');
}

const reasons: Partial<Record<ErrorCode, string>> = {
  headers_too_large: 'Request Header Fields Too Large',
  too_slow: 'Request Timeout',
};

function endSocket(socket: Socket, error: AppError): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(toProblem(error));
  socket.end(
    [
      `HTTP/1.1 ${errorStatus[error.code]} ${reasons[error.code] ?? 'Bad Request'}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}
