import { AppError, userRoutes as contract, type User } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import type { CheckLogin } from '../http/logins.js';
import { after, newestFirst, page } from '../http/page.js';
import { hashPassword } from '../http/passwords.js';
import { serve } from '../http/route.js';
import { hashToken, newToken } from '../http/tokens.js';
import { setRunningLimits } from '../jobs/running-limits.js';
import { changeUser } from '../users/change.js';
import { requireFreeName } from '../users/name.js';

interface UserRow {
  id: string;
  name: string;
  role: string;
  disabledAt: Date | null;
  createdAt: Date;
}

export const viewUser = ({ id, name, role, disabledAt, createdAt }: UserRow): User => ({
  id,
  name,
  role: role === 'admin' ? 'admin' : 'user',
  disabled: disabledAt !== null,
  createdAt: createdAt.toISOString(),
});

export function userRoutes(app: FastifyInstance, deps: Deps, checkLogin: CheckLogin): void {
  const { db } = deps;
  serve(app, contract.login, async ({ body, request }) => {
    const user = await checkLogin(request, body);
    const token = newToken('user');
    await db.token.create({
      data: { userId: user.id, kind: 'user', name: 'login', hash: hashToken(token), last4: token.slice(-4) },
    });
    return { token, user: viewUser(user) };
  });

  serve(app, contract.me, async ({ caller }) =>
    viewUser(await db.user.findUniqueOrThrow({ where: { id: caller.userId } })),
  );

  serve(app, contract.list, async ({ query }) => {
    const rows = await db.user.findMany({
      where: { kind: 'user', ...after(query.cursor) },
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, viewUser);
  });

  serve(app, contract.setLimits, async ({ params, body }) => {
    const limits = await setRunningLimits(deps, params.user, body);
    if (!limits) throw new AppError('not_found', `there is no user and no team ${params.user}`);
    return limits;
  });

  serve(app, contract.update, async ({ params, body, caller }) => {
    const user = await changeUser(deps, caller, params.user, body);
    await deps.hub.publish({ type: 'user_changed', userId: user.id, less: true });
    return viewUser(user);
  });

  serve(app, contract.create, async ({ body }) => {
    await requireFreeName(deps, body.name);
    const passwordHash = await hashPassword(body.password);
    return viewUser(await db.user.create({ data: { name: body.name, role: body.role, passwordHash } }));
  });
}
