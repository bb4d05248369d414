import { createHash } from 'node:crypto';
import { AppError } from '@mycloud/shared';
import type { FastifyRequest } from 'fastify';

/** Names a state of what can be edited. */
export const revisionOf = (editable: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(editable)).digest('hex').slice(0, 16);

export const etag = (revision: string): string => `"${revision}"`;

/** The revision an edit was made on, or undefined where any will do. @throws AppError bad_request */
export function ifMatch(request: FastifyRequest): string | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return undefined;
  const revision = /^"([^"]*)"$/.exec(header.trim())?.[1];
  if (revision === undefined) {
    throw new AppError('bad_request', `If-Match: ${header} names no revision`, {
      hint: 'Send If-Match: "REVISION", as the answer you edit said it.',
    });
  }
  return revision;
}

/** @throws AppError changed_meanwhile unless `wanted` is how it is now, or any will do */
export function requireRevision(what: string, now: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === now) return;
  throw new AppError('changed_meanwhile', `${what} was changed meanwhile`, {
    hint: 'Look at it again, then make your change anew.',
  });
}
