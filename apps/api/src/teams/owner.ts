import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { ownRight, reaches } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';

/**
 * The id of an owner in whose name the caller may submit and upload: himself, or a team he is a member of.
 * @param name undefined: himself
 * @throws AppError not_found for a team he isn't in, forbidden for another user and for a team's viewers
 */
export async function findWritableOwner(
  { db }: Pick<Deps, 'db'>,
  caller: UserPrincipal,
  name: string | undefined,
): Promise<string> {
  if (name === undefined || name === caller.name) return caller.userId;
  const owner = await db.user.findUnique({ where: { name }, select: { id: true } });
  const right = owner ? ownRight(caller, owner.id) : 'none';
  if (owner && reaches(right, 'write')) return owner.id;
  if (right === 'read') {
    throw new AppError('forbidden', `you are a viewer of ${name}, and may only look at what it has`, {
      hint: `An admin of ${name} can make you a member.`,
    });
  }
  throw new AppError('not_found', `${name} is neither you nor a team you are in`, {
    hint: 'Run `mycloud team list` to see your teams.',
  });
}
