import { AppError, type projectRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';

/** Makes a project of the caller's. @throws AppError conflict when he has one of that name */
export async function createProject(
  { db }: Deps,
  caller: UserPrincipal,
  body: z.output<typeof projectRoutes.create.body>,
): Promise<{ id: string }> {
  const taken = await db.project.findUnique({
    where: { ownerId_name: { ownerId: caller.userId, name: body.name } },
  });
  if (taken) throw new AppError('conflict', `you have a project ${body.name} already`);
  return db.project.create({ data: { ...body, ownerId: caller.userId }, select: { id: true } });
}
