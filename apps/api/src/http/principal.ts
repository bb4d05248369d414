import { type RouteContract, type TeamRole, teamRoleSchema } from '@mycloud/shared';
import type { Signal } from '../hub.js';

export interface UserPrincipal {
  kind: 'user';
  /** Of the page's session, where a cookie said who it is. */
  sessionId?: string;
  /** Of the token, where one said it. */
  tokenId?: string;
  tokenName?: string;
  userId: string;
  name: string;
  role: 'user' | 'admin';
  /** His role in each team, by the team's id. */
  teams: ReadonlyMap<string, TeamRole>;
}

/** What has to be read of a user to know what he may. */
export const withTeams = { memberships: { select: { teamId: true, role: true } } } as const;

/** The rights of a user as the database has them. */
export const rightsOf = (user: { role: string; memberships: { teamId: string; role: string }[] }) => ({
  role: user.role === 'admin' ? ('admin' as const) : ('user' as const),
  teams: new Map(user.memberships.map(({ teamId, role }) => [teamId, teamRoleSchema.parse(role)])),
});

/** A worker's token belongs to the user who made it. */
export interface WorkerPrincipal {
  kind: 'worker';
  tokenId: string;
  userId: string;
  name: string;
}

/** Who a request's token or cookie stands for. */
export type Principal = UserPrincipal | WorkerPrincipal;

/** By what a caller is logged in. */
export type Login = Pick<UserPrincipal, 'userId' | 'tokenId' | 'sessionId'>;

/** Whether it is this token or session. */
export const isLogin = (login: Login | undefined, loginId: string): boolean =>
  login?.tokenId === loginId || login?.sessionId === loginId;

/** Whether what this caller opened ends by it. */
export const endedBy = (signal: Signal, caller: Login | undefined): boolean =>
  (signal.type === 'login_over' && isLogin(caller, signal.loginId)) ||
  (signal.type === 'user_changed' && signal.less && caller?.userId === signal.userId);

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    contract?: RouteContract;
  }
}
