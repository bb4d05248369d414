import type { Problem } from './problem.js';

/** Error codes of the API and what HTTP answers for each. One table for every edge. */
export const errorStatus = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  /** The writer's fence is not the current one: its lease is over and it must end its execution. */
  stale_fence: 409,
  /** A log batch that doesn't start where the stored lines end; `details.expected` names the next number. */
  log_gap: 409,
  /** What is edited was changed since it was read: its If-Match names an older state. */
  changed_meanwhile: 412,
  /** The request, or the rest of it, came too slowly. */
  too_slow: 408,
  too_large: 413,
  /** Its address and headers together. */
  headers_too_large: 431,
  quota_exceeded: 403,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface AppErrorOptions {
  cause?: unknown;
  /** What the person can do next, one sentence. */
  hint?: string;
  /** Machine-readable facts beside the message. */
  details?: Record<string, unknown>;
  /** Every problem of a request body, when the code is bad_request. */
  errors?: { path: string; message: string }[];
  /** Of the request that a server refused: its log tells more under it. */
  requestId?: string;
}

/** An error a person can act on: what happened, to what, and what to do next. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly errors: { path: string; message: string }[] | undefined;
  readonly requestId: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
    this.details = options.details;
    this.errors = options.errors;
    this.requestId = options.requestId;
  }
}

export function toProblem(error: AppError, requestId?: string): Problem {
  return {
    type: 'about:blank',
    title: error.code.replaceAll('_', ' '),
    status: errorStatus[error.code],
    code: error.code,
    detail: error.message,
    hint: error.hint,
    details: error.details,
    errors: error.errors,
    requestId,
  };
}

export function fromProblem(problem: Problem): AppError {
  const { code, detail, hint, details, errors, requestId } = problem;
  return new AppError(code in errorStatus ? code : 'internal', detail, { hint, details, errors, requestId });
}
