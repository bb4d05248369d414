import { type AppError, type ErrorCode, errorStatus } from '@mycloud/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toAppError } from '../http/errors.js';

/**
 * Of what is no success the client shows a message only with 400 (after a line of its own) and 403; with 404 it says that
 * something wasn't found, with others a number. It breaks at a body that isn't JSON.
 */
const shown: Partial<Record<ErrorCode, number>> = { conflict: 403, stale_fence: 403, too_large: 403 };

/** Where a request can't do without a thing that isn't there, "not found" would hide what it is that is missing. */
const needsSentence = (request: FastifyRequest): boolean =>
  request.method === 'POST' || /^\/api\/v1\/(projects|datasets)\//.test(request.url);

export function answerFloydError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toAppError(error);
  if (problem.code === 'internal') request.log.error({ err: error }, 'unexpected');
  if (problem.code === 'unavailable') void reply.header('retry-after', '1');
  return reply
    .status(statusOf(problem, request))
    .type('application/json')
    .send({ message: sentence(problem), code: problem.code });
}

function statusOf({ code }: AppError, request: FastifyRequest): number {
  if (code === 'not_found' && needsSentence(request)) return 403;
  return shown[code] ?? errorStatus[code];
}

function sentence({ message, hint, errors }: AppError): string {
  const all = errors?.map((one) => `${one.path}: ${one.message}`).join('; ');
  return [all ? `${message}: ${all}` : message, hint].filter(Boolean).join('\n');
}
