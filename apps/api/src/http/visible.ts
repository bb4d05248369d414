import { readableOwners } from './owners.js';
import type { UserPrincipal } from './principal.js';

/** The `where` of projects and datasets the caller may see: his own, his teams', and the public ones; an admin sees all. */
export const visible = (caller: UserPrincipal) =>
  caller.role === 'admin' ? {} : { OR: [{ ownerId: { in: readableOwners(caller) } }, { public: true }] };
