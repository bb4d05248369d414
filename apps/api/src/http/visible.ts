import type { UserPrincipal } from './principal.js';

/** The `where` of projects and datasets the caller may see: his own, and the public ones; an admin sees all. */
export const visible = (caller: UserPrincipal) =>
  caller.role === 'admin' ? {} : { OR: [{ ownerId: caller.userId }, { public: true }] };
