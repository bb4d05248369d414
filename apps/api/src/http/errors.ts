import { AppError, errorStatus, toProblem } from '@mycloud/shared';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { databaseAway, isDatabaseAway, isDuplicate, isUnstorable } from '../database/faults.js';

/** The one place where an error becomes an answer: RFC 9457 problem+json. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toAppError(error);
  // null: a request that broke before any hook ran.
  if (request.audit) request.audit.outcome = problem.code;
  if (problem.code === 'internal') request.log.error({ err: error }, 'unexpected');
  if (problem.code === 'unavailable') void reply.header('retry-after', '1');
  return reply
    .status(errorStatus[problem.code])
    .type('application/problem+json')
    .send(toProblem(problem, request.id));
}

/** What a request ended with, as an error a person can act on. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map((issue) => ({
      path: issue.instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: issue.message ?? 'is wrong',
    }));
    return new AppError('bad_request', 'the request breaks the schema', { errors, cause: error });
  }
  if (isDatabaseAway(error)) return databaseAway(error);
  // Two calls that make the same thing at once: one of them comes second.
  if (isDuplicate(error))
    return new AppError('conflict', 'there is one of that name already', { cause: error });
  if (isUnstorable(error)) {
    return new AppError('bad_request', 'a number of this request is out of range, or a text holds a NUL', {
      cause: error,
    });
  }
  const { statusCode, message } = error as FastifyError;
  if (statusCode === 413) return new AppError('too_large', 'the body is too large', { cause: error });
  if (statusCode === 429) {
    return new AppError('too_many_requests', 'too many tries', {
      cause: error,
      hint: 'Wait a minute, then try again.',
    });
  }
  if (statusCode && statusCode >= 400 && statusCode < 500)
    return new AppError('bad_request', message, { cause: error });
  return new AppError('internal', 'something went wrong in the server', {
    cause: error,
    hint: 'Its log tells more, under the id of this request.',
  });
}
