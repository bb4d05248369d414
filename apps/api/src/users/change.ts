import { AppError, type userRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { hashPassword } from '../http/passwords.js';
import type { UserPrincipal } from '../http/principal.js';

/**
 * Changes what a user may, or his password; who is kept out, or has a new password, is logged out everywhere on the page.
 * @throws AppError not_found; conflict for an admin who would lock himself out
 */
export async function changeUser(
  { db }: Deps,
  caller: UserPrincipal,
  name: string,
  { role, disabled, password }: z.output<typeof userRoutes.update.body>,
) {
  const user = await db.user.findUnique({ where: { name, kind: 'user' } });
  if (!user) throw new AppError('not_found', `there is no user ${name}`);
  // So there is always an admin left: whoever makes the change.
  if (user.id === caller.userId && (role === 'user' || disabled)) {
    throw new AppError('conflict', 'you would lock yourself out', { hint: 'Ask another admin to do it.' });
  }
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const disabledAt = disabled === undefined ? undefined : disabled ? (user.disabledAt ?? new Date()) : null;
  return db.$transaction(async (tx) => {
    if (disabled || password !== undefined) {
      await tx.session.deleteMany({ where: { userId: user.id } });
      await tx.openLink.deleteMany({ where: { userId: user.id } });
    }
    return tx.user.update({ where: { id: user.id }, data: { role, disabledAt, passwordHash } });
  });
}
