import type { Deps } from './deps.js';
import { hashPassword } from './http/passwords.js';
import { hashToken } from './http/tokens.js';

/** The first user, its token and the first worker's, as the configuration names them. Said again it changes nothing. */
export async function bootstrap({ config, db, log }: Pick<Deps, 'config' | 'db' | 'log'>): Promise<void> {
  const { user: name, password, token, workerToken } = config.bootstrap;
  if (!name) return;
  const user = await db.user.upsert({
    where: { name },
    update: {},
    create: { name, role: 'admin', passwordHash: password ? await hashPassword(password) : null },
  });
  for (const [kind, secret] of [
    ['user', token],
    ['worker', workerToken],
  ] as const) {
    if (!secret) continue;
    await db.token.upsert({
      where: { hash: hashToken(secret) },
      update: {},
      create: {
        userId: user.id,
        kind,
        name: 'first start',
        hash: hashToken(secret),
        last4: secret.slice(-4),
      },
    });
  }
  log.info({ user: name }, 'the first user stands');
}
