import { AppError, type projectRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { findWritableOwner } from '../teams/owner.js';

/** Makes a project of the caller's, or of a team of his. @throws AppError conflict when there is one of that name; not_found, forbidden */
export async function createProject(
  deps: Deps,
  caller: UserPrincipal,
  { owner, ...body }: z.output<typeof projectRoutes.create.body>,
): Promise<{ id: string }> {
  const { db } = deps;
  const ownerId = await findWritableOwner(deps, caller, owner);
  const taken = await db.project.findUnique({
    where: { ownerId_name: { ownerId, name: body.name } },
  });
  if (taken)
    throw new AppError(
      'conflict',
      `${owner ?? 'you'} ${owner ? 'has' : 'have'} a project ${body.name} already`,
    );
  return db.project.create({ data: { ...body, ownerId }, select: { id: true } });
}
