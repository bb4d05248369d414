import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { Hub } from '../hub.js';
import { isLogin, type Login, type Principal, rightsOf, withTeams } from './principal.js';
import { hashToken } from './tokens.js';

const cacheMs = 5_000;
const cacheSize = 10_000;

/**
 * The token of an Authorization header: `Bearer TOKEN`. On the old floyd's wire also `apikey TOKEN`, and the password of
 * `Basic`, which is all that its upload can send.
 */
function tokenIn(header: string, wire: boolean): string | undefined {
  const [, scheme = '', value = ''] = /^(Bearer|apikey|Basic) (\S+)$/i.exec(header) ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (!wire) return undefined;
  if (/^apikey$/i.test(scheme)) return value;
  return /^[^:]*:(\S+)$/.exec(Buffer.from(value, 'base64').toString())?.[1];
}

/**
 * Finds whom a token stands for. What was found is believed for 5 seconds; a revoked token, or one whose user may
 * something else now, is dropped at once in all apis that hear of it.
 */
export function openAuthenticator(deps: Pick<Deps, 'db' | 'hub'>) {
  const cache = new Map<string, { principal: Principal; until: number }>();
  forgetLogins(deps.hub, (is) => {
    for (const [hash, { principal }] of cache) if (is(principal)) cache.delete(hash);
  });
  return {
    /** @param wire on the old floyd's. @throws AppError unauthenticated for one that is wrong, revoked or expired */
    async authenticate(header: string, wire = false): Promise<Principal> {
      const secret = tokenIn(header, wire);
      if (!secret) throw new AppError('unauthenticated', 'the Authorization header is not `Bearer TOKEN`');
      const hash = hashToken(secret);
      const known = cache.get(hash);
      if (known && known.until > Date.now()) return known.principal;
      cache.delete(hash);
      const token = await deps.db.token.findUnique({
        where: { hash },
        include: { user: { include: withTeams } },
      });
      const disabled = token?.user.disabledAt;
      if (!token || token.revokedAt || disabled || (token.expiresAt && token.expiresAt < new Date())) {
        const why = token?.revokedAt
          ? 'was revoked'
          : disabled
            ? 'is of a user who was disabled'
            : token
              ? 'has expired'
              : 'is not known here';
        const forWorker = token?.kind === 'worker' || secret.startsWith('mycw_');
        throw new AppError('unauthenticated', `this token ${why}`, {
          hint: forWorker
            ? 'An admin makes another one: `mycloud workers add NAME`.'
            : 'Run `mycloud login` again.',
        });
      }
      const principal: Principal =
        token.kind === 'worker'
          ? { kind: 'worker', tokenId: token.id, userId: token.userId, name: token.user.name }
          : {
              kind: 'user',
              tokenId: token.id,
              userId: token.userId,
              name: token.user.name,
              tokenName: token.name,
              ...rightsOf(token.user),
            };
      if (cache.size >= cacheSize) cache.clear();
      cache.set(hash, { principal, until: Date.now() + cacheMs });
      if (!token.lastUsedAt || Date.now() - token.lastUsedAt.getTime() > 60_000) {
        await deps.db.token.updateMany({ where: { id: token.id }, data: { lastUsedAt: new Date() } });
      }
      return principal;
    },
  };
}

/**
 * Calls when a login is over or what its user may has changed, saying whose is to be believed no more; of everybody when that
 * may have been missed.
 */
export function forgetLogins(hub: Hub, forget: (is: (login: Login) => boolean) => void): void {
  hub.subscribe((signal) => {
    if (signal.type === 'login_over') forget((login) => isLogin(login, signal.loginId));
    else if (signal.type === 'user_changed') forget(({ userId }) => userId === signal.userId);
  });
  hub.onGap(() => forget(() => true));
}

export type Authenticator = ReturnType<typeof openAuthenticator>;
