import { useQuery } from '@tanstack/react-query';
import { meQuery } from './queries.js';

/** What who looks may do with what belongs to `owner`: admins may change everything, and submit only to what is theirs. */
export function useRights(owner: string): { change: boolean; submit: boolean } {
  const { data: me } = useQuery(meQuery);
  const own = me?.name === owner;
  return { change: own || me?.role === 'admin', submit: own };
}
