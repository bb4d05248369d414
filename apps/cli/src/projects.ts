import { AppError, nameSchema, projectRoutes } from '@mycloud/shared';
import type { Session } from './context.js';

/** @throws AppError naming what is no name, with one that would do */
export function checkedName(text: string, noun: 'project' | 'dataset'): string {
  const parsed = nameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new AppError('bad_request', `"${text}" is no name of a ${noun}: ${parsed.error.issues[0]?.message}`);
}

/** Finds a project, or makes it where it is the caller's or a team's of his. @returns whether it was made */
export async function ensureProject(
  session: Session,
  at: { owner: string; project: string },
): Promise<boolean> {
  try {
    await session.client.call(projectRoutes.get, { params: at });
    return false;
  } catch (error) {
    if (!isMissing(error)) throw error;
    await session.client
      .call(projectRoutes.create, { body: { owner: at.owner, name: at.project } })
      // Whose it is he may not make any for: that there is none says more.
      .catch((refusal: unknown) => {
        throw isMissing(refusal) ? error : refusal;
      });
    return true;
  }
}

export const isMissing = (error: unknown): boolean => error instanceof AppError && error.code === 'not_found';
