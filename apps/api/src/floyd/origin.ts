import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';

/** Where the server is reached: what its configuration says, or what the request itself came to. */
export const originOf = ({ config }: Deps, request: FastifyRequest): string =>
  config.publicUrl?.replace(/\/+$/, '') ?? `${request.protocol}://${request.host}`;
