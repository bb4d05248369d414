import type { Deps } from './deps.js';
import { hashPassword } from './http/passwords.js';
import { hashToken } from './http/tokens.js';

/** What the tokens are called that the configuration brings. */
const firstToken = 'first start';

/** The first user, its token and the first worker's, as the configuration names them. Said again it changes nothing. */
export async function bootstrap({ config, db, log }: Pick<Deps, 'config' | 'db' | 'log'>): Promise<void> {
  const { user: name, password, token, workerToken } = config.bootstrap;
  if (!name) return;
  // Servers that start at once make them once: a row that is there is left as it is.
  const once = { skipDuplicates: true };
  const passwordHash = password ? await hashPassword(password) : null;
  await db.user.createMany({ data: { name, role: 'admin', passwordHash }, ...once });
  const { id: userId } = await db.user.findUniqueOrThrow({ where: { name } });
  for (const [kind, secret] of [
    ['user', token],
    ['worker', workerToken],
  ] as const) {
    if (!secret) continue;
    const hashed = { hash: hashToken(secret), last4: secret.slice(-4) };
    const { count } = await db.token.createMany({
      data: { userId, kind, name: firstToken, ...hashed },
      ...once,
    });
    if (kind === 'worker' && count > 0) await freeNames(db, userId);
  }
  log.info({ user: name }, 'the first user stands');
}

/**
 * The configuration brings another token than before (it was changed, or the database moved to a new home): its worker is that of
 * the earlier ones, and may have its name.
 */
async function freeNames(db: Deps['db'], userId: string): Promise<void> {
  const tokens = await db.token.findMany({ where: { userId, kind: 'worker', name: firstToken } });
  const tokenId = { in: tokens.map(({ id }) => id) };
  await db.worker.updateMany({ where: { ownerId: userId, tokenId }, data: { tokenId: null } });
}
