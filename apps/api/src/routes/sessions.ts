import { AppError, sessionRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { noteAudit } from '../audit/record.js';
import type { CheckLogin } from '../http/logins.js';
import { serve } from '../http/route.js';
import type { Sessions } from '../http/sessions.js';
import { viewUser } from './users.js';

/** A path of this server's page and nothing else: no other host, no address of the api. */
const ownPath = (to: string | undefined): string =>
  // Browsers leave out tabs and line ends: /<tab>/evil.example is //evil.example to them.
  to && /^\/(?![/\\])(?!v1\/|open\/)[^\p{Cc}]*$/u.test(to) ? to : '/';

export function sessionRoutes(app: FastifyInstance, sessions: Sessions, checkLogin: CheckLogin): void {
  serve(app, contract.create, async ({ body, request, reply }) => {
    const user = await checkLogin(request, body);
    await sessions.start(user.id, request, reply);
    return viewUser(user);
  });

  serve(app, contract.end, async ({ caller, request, reply }) => {
    if (!caller.sessionId) {
      throw new AppError('bad_request', 'a token is not a session', {
        hint: 'End a token by `mycloud token revoke`.',
      });
    }
    await sessions.end(caller.sessionId, request, reply);
  });

  serve(app, contract.createLink, async ({ caller }) => {
    const { secret, expiresAt } = await sessions.createLink(caller.userId);
    return { path: `/open/${secret}`, expiresAt: expiresAt.toISOString() };
  });

  serve(app, contract.open, async ({ params, query, request, reply }) => {
    const userId = await sessions.takeLink(params.secret);
    if (userId) {
      await sessions.start(userId, request, reply);
      noteAudit(request, { user: await sessions.userOf(userId), via: 'link' });
    } else noteAudit(request, { skip: true });
    const to = ownPath(query.to);
    // Who is logged in already is led on by an old link too; anybody else is told how to get a new one.
    const next =
      userId || (await sessions.find(request)) ? to : `/login?link=used&to=${encodeURIComponent(to)}`;
    return reply
      .header('cache-control', 'no-store')
      .header('referrer-policy', 'no-referrer')
      .redirect(next, 303);
  });
}
