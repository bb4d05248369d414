import type { TeamRole } from '@mycloud/shared';
import type { UserPrincipal } from './principal.js';

/** What a call needs: to look, to add and change, or also to delete and to say who else may. */
export type Need = 'read' | 'write' | 'manage';
/** What a caller may do with what an owner has. */
export type Right = 'none' | Need;

/** The one table from a role in a team to what it allows. */
const rightOf: Record<TeamRole, Right> = { viewer: 'read', member: 'write', admin: 'manage' };
const order: Right[] = ['none', 'read', 'write', 'manage'];

/** Who asks, as far as rights go by it. */
export type Asker = Pick<UserPrincipal, 'userId' | 'teams'>;

/** In his own name, or by a role in a team: a server's admin has no more right here than anybody. */
export function ownRight(caller: Asker, ownerId: string): Right {
  if (ownerId === caller.userId) return 'manage';
  const role = caller.teams.get(ownerId);
  return role === undefined ? 'none' : rightOf[role];
}

/** The same, where a server's admin may all. */
export const rightOver = (caller: Asker & Pick<UserPrincipal, 'role'>, ownerId: string): Right =>
  caller.role === 'admin' ? 'manage' : ownRight(caller, ownerId);

export const reaches = (right: Right, need: Need): boolean => order.indexOf(right) >= order.indexOf(need);

/** Ids of the owners whose private things the caller may read: himself and his teams. */
export const readableOwners = (caller: Asker): string[] => [caller.userId, ...caller.teams.keys()];

/** Ids of those in whose name he may submit and upload. */
export const writableOwners = (caller: Asker): string[] =>
  readableOwners(caller).filter((id) => reaches(ownRight(caller, id), 'write'));
