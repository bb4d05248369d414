import type { RouteContract } from '@mycloud/shared';

export interface UserPrincipal {
  kind: 'user';
  tokenId: string;
  userId: string;
  name: string;
  role: 'user' | 'admin';
}

/** A worker's token belongs to the user who made it. */
export interface WorkerPrincipal {
  kind: 'worker';
  tokenId: string;
  userId: string;
  name: string;
}

/** Who a request's token stands for. */
export type Principal = UserPrincipal | WorkerPrincipal;

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    contract?: RouteContract;
  }
}
