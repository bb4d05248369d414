import type { RouteContract } from '@mycloud/shared';

export interface UserPrincipal {
  kind: 'user';
  /** Of the page's session, where a cookie said who it is. */
  sessionId?: string;
  /** Of the token, where one said it. */
  tokenId?: string;
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

/** Who a request's token or cookie stands for. */
export type Principal = UserPrincipal | WorkerPrincipal;

/** Whether a request was made by this token or session. */
export const isLogin = (principal: Principal | undefined, loginId: string): boolean =>
  principal?.tokenId === loginId || (principal?.kind === 'user' && principal.sessionId === loginId);

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    contract?: RouteContract;
  }
}
