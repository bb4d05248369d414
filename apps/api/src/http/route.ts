import { AppError, type RouteContract } from '@mycloud/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Principal, UserPrincipal, WorkerPrincipal } from './principal.js';

/** What is registered, whether it has a contract (the pages of /docs have none). */
export interface ServedRoute {
  method: string;
  path: string;
  contract: RouteContract | undefined;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is, for whoever wants to look at all of them. */
    served: readonly ServedRoute[];
  }
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Caller<A extends RouteContract['auth']> = A extends 'user' | 'admin'
  ? UserPrincipal
  : A extends 'worker'
    ? WorkerPrincipal
    : A extends 'user_or_worker'
      ? Principal
      : undefined;

export interface Call<R extends RouteContract> {
  params: Parsed<R['params']>;
  query: Parsed<R['query']>;
  body: Parsed<R['body']>;
  caller: Caller<R['auth']>;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Answer<R extends RouteContract> = R['response'] extends z.ZodType ? z.input<R['response']> : unknown;

/** Serves one contract: checks who calls and what is sent, answers what the contract says. */
export function serve<R extends RouteContract>(
  app: FastifyInstance,
  contract: R,
  handler: (call: Call<R>) => Promise<Answer<R>> | Answer<R>,
): void {
  const status = contract.status ?? (contract.response || contract.raw?.response ? 200 : 204);
  app.route({
    method: contract.method,
    url: contract.path,
    config: { contract },
    schema: {
      summary: contract.summary,
      tags: [contract.tag],
      ...(contract.wire && { hide: true }),
      ...(contract.params && { params: contract.params }),
      ...(contract.query && { querystring: contract.query }),
      ...(contract.body && { body: contract.body }),
      ...(contract.response && { response: { [status]: contract.response } }),
    },
    handler: async (request, reply) => {
      const answer = await handler({
        params: request.params as Parsed<R['params']>,
        query: request.query as Parsed<R['query']>,
        body: request.body as Parsed<R['body']>,
        caller: request.principal as Caller<R['auth']>,
        request,
        reply,
      });
      if (answer === reply || reply.sent) return reply;
      request.audit.answer = answer;
      reply.status(status);
      return contract.response || contract.raw?.response ? answer : reply.send();
    },
  });
}

/** @throws AppError forbidden unless the principal may call the contract */
export function authorize(contract: RouteContract, principal: Principal | undefined): void {
  const { auth } = contract;
  if (auth === 'none' || auth === 'signed') return;
  if (!principal) {
    throw new AppError('unauthenticated', 'this needs a token or a login', {
      hint: 'Run `mycloud login`, or send `Authorization: Bearer TOKEN`; in a browser: `mycloud open`.',
    });
  }
  if (auth === 'user_or_worker') return;
  if (auth === 'admin') {
    if (principal.kind === 'user' && principal.role === 'admin') return;
    throw new AppError('forbidden', 'only an admin may do this');
  }
  if (principal.kind !== auth)
    throw new AppError('forbidden', `a ${principal.kind}'s token can't be used here`);
}
