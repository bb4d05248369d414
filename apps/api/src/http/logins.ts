import { AppError } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { noteAudit } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { checkPassword } from './passwords.js';

interface Guess {
  name: string;
  password: string;
}

/** Checks a name and password, for a token and for a session alike; guesses are counted by address, and by the name that is guessed at. */
export function openLogins(app: FastifyInstance, { db }: Deps) {
  const limitBy = (keyGenerator: (request: FastifyRequest) => string) =>
    app.createRateLimit({ max: 10, timeWindow: 60_000, keyGenerator });
  const limits = [
    limitBy((request) => `ip ${request.ip}`),
    limitBy((request) => `name ${(request.body as Guess).name}`),
  ];

  /** @throws AppError unauthenticated, not saying which of the two was wrong; too_many_requests */
  return async (request: FastifyRequest, guess: Guess) => {
    for (const limit of limits) {
      const state = await limit(request);
      if (!state.isAllowed && state.isExceeded) {
        throw new AppError('too_many_requests', 'too many tries to log in', {
          hint: 'Wait a minute, then try again.',
        });
      }
    }
    const user = await db.user.findUnique({ where: { name: guess.name } });
    if (!(await checkPassword(guess.password, user?.passwordHash)) || !user || user.disabledAt) {
      throw new AppError('unauthenticated', 'the name or the password is wrong');
    }
    noteAudit(request, { user });
    return user;
  };
}

export type CheckLogin = ReturnType<typeof openLogins>;
