import { randomUUID } from 'node:crypto';
import { idSchema, type RouteContract } from '@mycloud/shared';
import { type OpenSpan, readTraceparent, type WorkContext, withContext } from '@mycloud/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';

declare module 'fastify' {
  interface FastifyRequest {
    work: WorkContext;
    span: OpenSpan | undefined;
  }
}

/** The caller's own x-request-id where it is a word that a log can hold; otherwise a new one. */
export const requestIdOf = (given: unknown): string =>
  typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();

const isStream = (contract: RouteContract | undefined): boolean =>
  /event-stream|websocket/.test(contract?.raw?.response ?? '');

/**
 * Gives every request its id, answers it back, and has each line that is logged for it say so. What people ask for becomes a span,
 * and so does what carries a trace; how long each took is measured by route, and what changed something is logged.
 */
export function openRequestContext(app: FastifyInstance, { log, metrics, tracing }: Deps): void {
  app.decorateRequest('work', null as never);
  app.decorateRequest('span', undefined);

  app.addHook('onRequest', (request, reply, done) => {
    // Set on the answer itself, so that streams, which write their own head, carry it too.
    reply.raw.setHeader('x-request-id', request.id);
    const { contract } = request.routeOptions.config;
    const parent = readTraceparent(request.headers.traceparent);
    const asked = contract?.auth === 'user' || contract?.auth === 'admin';
    if (!isStream(contract) && (parent || asked)) {
      request.span = tracing.start(`${request.method} ${contract?.path ?? 'other'}`, {
        kind: 'server',
        parent: parent ?? null,
        attributes: {
          'http.request.method': request.method,
          'http.route': contract?.path ?? 'other',
          'mycloud.request_id': request.id,
        },
      });
    }
    const { jobId } = request.params as { jobId?: string };
    request.work = { requestId: request.id, traceparent: request.span?.traceparent ?? parent };
    if (jobId && idSchema.safeParse(jobId).success) request.work.jobId = jobId;
    withContext(request.work, done);
  });
  // Reading a body leaves what surrounded it.
  app.addHook('preValidation', (request, _, done) => withContext(request.work, done));

  app.addHook('onResponse', async (request, reply) => {
    const { contract } = request.routeOptions.config;
    const route = contract?.path ?? 'other';
    const { statusCode: status } = reply;
    if (!isStream(contract)) {
      const seconds = reply.elapsedTime / 1000;
      metrics.httpSeconds.observe(
        { method: request.method, route, status: `${Math.floor(status / 100)}xx` },
        seconds,
      );
    }
    request.span?.set({ 'http.response.status_code': status });
    request.span?.end(status >= 500 ? new Error(`answered ${status}`) : undefined);
    withContext(request.work, () => {
      const line = {
        method: request.method,
        route,
        status,
        ms: Math.round(reply.elapsedTime),
        ...caller(request),
      };
      const told =
        status >= 500 ||
        (request.method !== 'GET' && contract?.auth !== 'worker' && contract?.auth !== 'signed');
      log[told ? 'info' : 'debug'](line, 'answered');
    });
  });
}

const caller = ({ principal }: FastifyRequest): Record<string, string> =>
  principal ? { [principal.kind]: principal.name } : {};
