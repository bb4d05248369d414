import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '@mycloud/shared';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { forgetLogins } from './authenticate.js';
import { type Login, rightsOf, type UserPrincipal, withTeams } from './principal.js';

const dayMs = 86_400_000;
/** What was found is believed for this long, as of a session. */
const cacheMs = 5_000;
const cacheSize = 1_000;

const claimsSchema = z.tuple([z.enum(['session', 'token']), z.uuid(), z.number(), z.array(z.uuid()).min(1)]);

/** The login a pass was made by, as the database has it. */
export type Viewer = Pick<UserPrincipal, 'userId' | 'role' | 'teams'>;
interface SealingLogin extends Viewer {
  hash: string;
}

/** What passes are for; one for one thing is none for another. */
interface Purpose<J> {
  name: 'tensorboard' | 'jupyter' | 'serve';
  /** How a person calls what the address leads to: "a TensorBoard". */
  noun: string;
  /** The jobs, each of which that login may have so. @throws AppError not_found */
  find(login: Viewer, jobIds: string[]): Promise<J[]>;
}

/**
 * Passes: the part of an address that says who looks at which jobs. What is served below runs in a sandbox that has no
 * cookie (tensorboard/proxy.ts and modes/sandbox.ts say why), so the address itself is the secret. It is sealed by the hash of the
 * session or token that asked for it, which every api finds in the database: it ends with that login, or after a day, and with the
 * right to see the jobs.
 */
export function openPasses<J extends { id: string }>(deps: Deps, purpose: Purpose<J>) {
  const seal = (body: string, { hash }: SealingLogin): string =>
    createHmac('sha256', hash).update(`${purpose.name} ${body}`).digest('base64url');
  const refused = () =>
    new AppError('forbidden', `this address of ${purpose.noun} is not good, or not any more`, {
      hint: 'Open it again from the page of the job.',
    });
  const cache = new Map<string, { jobs: J[]; until: number; sealedBy: Login }>();
  forgetLogins(deps.hub, (is) => {
    for (const [pass, { sealedBy }] of cache) if (is(sealedBy)) cache.delete(pass);
  });

  async function loginOf(kind: 'session' | 'token', id: string): Promise<SealingLogin | undefined> {
    const include = { user: { include: withTeams } };
    const found =
      kind === 'session'
        ? await deps.db.session.findUnique({ where: { id }, include })
        : await deps.db.token.findUnique({ where: { id, kind: 'user', revokedAt: null }, include });
    if (!found || found.user.disabledAt || (found.expiresAt && found.expiresAt < new Date()))
      return undefined;
    return { hash: found.hash, userId: found.userId, ...rightsOf(found.user) };
  }

  return {
    /** A pass to these jobs, which the caller was found to be allowed to see. */
    async make(caller: UserPrincipal, jobs: readonly { id: string }[]): Promise<string> {
      const kind = caller.sessionId ? 'session' : 'token';
      const id = caller.sessionId ?? caller.tokenId ?? '';
      const login = await loginOf(kind, id);
      if (!login) throw new AppError('unauthenticated', 'this login is over');
      const claims = JSON.stringify([kind, id, Date.now() + dayMs, jobs.map((job) => job.id)]);
      const body = Buffer.from(claims).toString('base64url');
      return `${body}.${seal(body, login)}`;
    },

    /** The jobs it leads to. @throws AppError forbidden for one that is made up or over, not_found when the jobs may not be seen any more */
    async take(pass: string): Promise<J[]> {
      const known = cache.get(pass);
      if (known && known.until > Date.now()) return known.jobs;
      cache.delete(pass);
      const [body = '', given = ''] = pass.split('.');
      const claims = claimsSchema.safeParse(parse(body));
      if (!claims.success) throw refused();
      const [kind, id, until, jobIds] = claims.data;
      const login = until > Date.now() ? await loginOf(kind, id) : undefined;
      if (!login || !equal(given, seal(body, login))) throw refused();
      const jobs = await purpose.find(login, jobIds);
      const sealedBy = { userId: login.userId, [kind === 'session' ? 'sessionId' : 'tokenId']: id };
      if (cache.size >= cacheSize) cache.clear();
      cache.set(pass, { jobs, until: Date.now() + cacheMs, sealedBy });
      return jobs;
    },
  };
}

export type Passes<J extends { id: string }> = ReturnType<typeof openPasses<J>>;

const equal = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function parse(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, 'base64url').toString());
  } catch {
    // Not JSON: no pass.
    return undefined;
  }
}
