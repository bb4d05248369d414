import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';

/** A user's and a team's pages begin with the name: /lab/projects/… */
const reserved = new Set(['api', 'assets', 'docs', 'health', 'invite', 'open', 'v1']);

/** @throws AppError conflict for a name that a user or a team has, or that an address of the server begins with */
export async function requireFreeName({ db }: Pick<Deps, 'db'>, name: string): Promise<void> {
  if (reserved.has(name)) {
    throw new AppError(
      'conflict',
      `${name} can't be the name of a user or a team: an address of this server begins with it`,
      { hint: 'Choose another.' },
    );
  }
  const taken = await db.user.findUnique({ where: { name } });
  if (taken) {
    throw new AppError('conflict', `there is a ${taken.kind} ${name} already`, {
      hint: 'Choose another name.',
    });
  }
}
