import type { TeamRole } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { meQuery, teamsQuery } from './queries.js';

/**
 * What who looks may do with what belongs to `owner`: by himself, or by his role in that team. Admins of the server may change and
 * delete everything, and submit only to what is theirs.
 */
export function useRights(owner: string): { change: boolean; submit: boolean; remove: boolean } {
  const { data: me } = useQuery(meQuery);
  const role = useQuery(teamsQuery).data?.items.find(({ name }) => name === owner)?.role ?? null;
  const own = me?.name === owner;
  const admin = me?.role === 'admin';
  const submit = own || writes(role);
  return { submit, change: submit || admin, remove: own || role === 'admin' || admin };
}

const writes = (role: TeamRole | null): boolean => role === 'member' || role === 'admin';

/** In whose name he may make projects and datasets: his own, and that of teams; empty until it is known. */
export function useWritableOwners(): string[] {
  const { data: me } = useQuery(meQuery);
  const { data: teams } = useQuery(teamsQuery);
  if (!me) return [];
  return [me.name, ...(teams?.items ?? []).filter(({ role }) => writes(role)).map(({ name }) => name)];
}
