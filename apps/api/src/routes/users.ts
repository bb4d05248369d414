import { AppError, userRoutes as contract, type User } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { after, newestFirst, page } from '../http/page.js';
import { checkPassword, hashPassword } from '../http/passwords.js';
import { serve } from '../http/route.js';
import { hashToken, newToken } from '../http/tokens.js';

interface UserRow {
  id: string;
  name: string;
  role: string;
  createdAt: Date;
}

const view = ({ id, name, role, createdAt }: UserRow): User => ({
  id,
  name,
  role: role === 'admin' ? 'admin' : 'user',
  createdAt: createdAt.toISOString(),
});

export function userRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps;
  // Guesses are counted by address, and by the name that is guessed at.
  const guesses = app.createRateLimit({
    max: 10,
    timeWindow: 60_000,
    keyGenerator: (request) => `ip ${request.ip}`,
  });
  const guessesAt = app.createRateLimit({
    max: 10,
    timeWindow: 60_000,
    keyGenerator: (request) => `name ${(request.body as { name: string }).name}`,
  });

  serve(app, contract.login, async ({ body, request }) => {
    for (const limit of [guesses, guessesAt]) {
      const state = await limit(request);
      if (!state.isAllowed && state.isExceeded) {
        throw new AppError('too_many_requests', 'too many tries to log in', {
          hint: 'Wait a minute, then try again.',
        });
      }
    }
    const user = await db.user.findUnique({ where: { name: body.name } });
    if (!(await checkPassword(body.password, user?.passwordHash)) || !user) {
      throw new AppError('unauthenticated', 'the name or the password is wrong');
    }
    const token = newToken('user');
    await db.token.create({
      data: { userId: user.id, kind: 'user', name: 'login', hash: hashToken(token), last4: token.slice(-4) },
    });
    return { token, user: view(user) };
  });

  serve(app, contract.me, async ({ caller }) =>
    view(await db.user.findUniqueOrThrow({ where: { id: caller.userId } })),
  );

  serve(app, contract.list, async ({ query }) => {
    const rows = await db.user.findMany({
      where: after(query.cursor),
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, view);
  });

  serve(app, contract.create, async ({ body }) => {
    if (await db.user.findUnique({ where: { name: body.name } })) {
      throw new AppError('conflict', `there is a user ${body.name} already`);
    }
    const passwordHash = await hashPassword(body.password);
    return view(await db.user.create({ data: { name: body.name, role: body.role, passwordHash } }));
  });
}
