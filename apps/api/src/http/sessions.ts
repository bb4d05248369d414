import { AppError, pageHeader } from '@mycloud/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';
import { forgetLogins } from './authenticate.js';
import { rightsOf, type UserPrincipal, withTeams } from './principal.js';
import { hashToken, newSecret } from './tokens.js';

/** Without use for this long a session ends. */
const sessionDays = 30;
const linkMinutes = 15;
/** What was found is believed for this long; a session that is ended is dropped at once, in all apis. */
const cacheMs = 5_000;
const cacheSize = 10_000;
const refreshMs = 3_600_000;

/** Browsers give one cookie to all ports of a host: the port in its name keeps two servers of one machine apart. */
const cookieName = (request: FastifyRequest): string =>
  `mycloud_${/:(\d+)$/.exec(request.host)?.[1] ?? 'page'}`;

/** The page's logins, in the database: any api knows them. */
export function openSessions({ db, hub }: Pick<Deps, 'db' | 'hub'>) {
  const cache = new Map<string, { principal: UserPrincipal; until: number }>();
  forgetLogins(hub, (is) => {
    for (const [hash, { principal }] of cache) if (is(principal)) cache.delete(hash);
  });
  const expiry = () => new Date(Date.now() + sessionDays * 86_400_000);

  return {
    /** Logs a browser in by a cookie that scripts can't read and other sites can't send. */
    async start(userId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const secret = newSecret();
      await db.session.create({ data: { userId, hash: hashToken(secret), expiresAt: expiry() } });
      void reply.setCookie(cookieName(request), secret, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        maxAge: sessionDays * 86_400,
      });
    },

    /** Whom a request's cookie stands for; undefined without one, or when its session is over. @throws AppError forbidden for a write that isn't the page's */
    async find(request: FastifyRequest): Promise<UserPrincipal | undefined> {
      const secret = request.cookies[cookieName(request)];
      if (!secret) return undefined;
      const hash = hashToken(secret);
      let known = cache.get(hash);
      if (!known || known.until < Date.now()) {
        cache.delete(hash);
        const session = await db.session.findUnique({
          where: { hash },
          include: { user: { include: withTeams } },
        });
        if (!session || session.expiresAt < new Date() || session.user.disabledAt) return undefined;
        const { user } = session;
        known = {
          principal: {
            kind: 'user',
            sessionId: session.id,
            userId: user.id,
            name: user.name,
            ...rightsOf(user),
          },
          until: Date.now() + cacheMs,
        };
        if (cache.size >= cacheSize) cache.clear();
        cache.set(hash, known);
        if (Date.now() - session.lastUsedAt.getTime() > refreshMs) {
          const data = { lastUsedAt: new Date(), expiresAt: expiry() };
          await db.session.updateMany({ where: { id: session.id }, data });
        }
      }
      refuseForgery(request);
      return known.principal;
    },

    async end(sessionId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      await db.session.deleteMany({ where: { id: sessionId } });
      await hub.publish({ type: 'login_over', loginId: sessionId });
      void reply.clearCookie(cookieName(request), { path: '/' });
    },

    userOf: (userId: string) =>
      db.user.findUniqueOrThrow({ where: { id: userId }, select: { id: true, name: true } }),

    /** A secret that opens one session of this user. */
    async createLink(userId: string): Promise<{ secret: string; expiresAt: Date }> {
      const secret = newSecret();
      const expiresAt = new Date(Date.now() + linkMinutes * 60_000);
      await db.openLink.create({ data: { userId, hash: hashToken(secret), expiresAt } });
      return { secret, expiresAt };
    },

    /** Whose link it is; of two that take it at once one does. undefined: it was taken, or its time is over. */
    async takeLink(secret: string): Promise<string | undefined> {
      const where = { hash: hashToken(secret), expiresAt: { gt: new Date() } };
      const link = await db.openLink.findUnique({ where });
      if (!link) return undefined;
      const { count } = await db.openLink.deleteMany({ where });
      return count === 1 ? link.userId : undefined;
    },
  };
}

export type Sessions = ReturnType<typeof openSessions>;

/** SameSite keeps other sites' requests without the cookie, not those of another port of this host: the header does. */
function refuseForgery(request: FastifyRequest): void {
  if (request.method === 'GET') return;
  const { origin } = request.headers;
  const ours = !origin || (URL.canParse(origin) && new URL(origin).host === request.host);
  if (request.headers[pageHeader] !== undefined && ours) return;
  throw new AppError('forbidden', 'with a session cookie only the page itself may write', {
    hint: 'Programs send `Authorization: Bearer TOKEN`.',
  });
}
