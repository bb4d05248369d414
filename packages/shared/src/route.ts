import type { z } from 'zod';
import type { ErrorCode } from './errors.js';

/**
 * Who may call a route. `none`: anybody; `user`: a user's token; `admin`: a user's token with the admin role;
 * `worker`: a worker's token; `user_or_worker`: either (a worker only for the attempt it holds);
 * `signed`: anybody holding a signed URL.
 */
export type RouteAuth = 'none' | 'user' | 'admin' | 'worker' | 'user_or_worker' | 'signed';

export interface RouteContract {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Fastify style: /v1/projects/:owner/:project */
  path: string;
  auth: RouteAuth;
  summary: string;
  tag: string;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Absent: the route answers 204, or the body named by `raw`. */
  response?: z.ZodType;
  /** Success status, 200 unless said (204 without a response). */
  status?: 200 | 201 | 202;
  /**
   * What it refuses beside what follows from its parts: a bad or too large request, a caller who may not, names of nothing, and a
   * server that can't just now. OpenAPI says all of them.
   */
  errors?: readonly ErrorCode[];
  /** Shown at /docs, to be tried there. They are about lab/projects/dogsvscats, and its job 1. */
  example?: { params?: object; query?: object; body?: object };
  /**
   * What the audit trail calls it, such as `stop job`; false: what it does is part of something else that is an entry. Of a user's
   * writing routes one that says nothing is an entry too, by its summary.
   */
  audit?: string | false;
  /** Fields of the body that its entry shows; never a secret. */
  auditShows?: readonly string[];
  /** A body that isn't JSON: octets, text or a stream of server-sent events. */
  raw?: { request?: string; response?: string };
  /**
   * A word of floyd-cli's old protocol. Such a route isn't in OpenAPI: its names hold slashes, for which OpenAPI has no
   * words, and nobody should write a new client for it. It is called with a token and never by a page's cookie: one of
   * its GETs stops a job.
   */
  wire?: 'floyd';
}

/** Keeps the literal types of a contract, so that client and server are typed by it. */
export function defineRoute<const R extends RouteContract>(route: R): R {
  return route;
}

type In<S> = S extends z.ZodType ? z.input<S> : never;
type Part<R extends RouteContract, K extends 'params' | 'query' | 'body'> = R[K] extends z.ZodType
  ? undefined extends In<R[K]>
    ? { [P in K]?: In<R[K]> }
    : Record<string, never> extends In<R[K]>
      ? { [P in K]?: In<R[K]> }
      : { [P in K]: In<R[K]> }
  : { [P in K]?: undefined };

/** What a caller of the route gives. */
export type RouteInput<R extends RouteContract> = Part<R, 'params'> & Part<R, 'query'> & Part<R, 'body'>;
/** What the route answers, parsed. */
export type RouteOutput<R extends RouteContract> = R['response'] extends z.ZodType
  ? z.output<R['response']>
  : undefined;
