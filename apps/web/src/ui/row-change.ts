import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { tell } from './toast.js';

/** A change made at once, at a row of a list: the list is asked for again, and what is refused is told. */
export function useRowChange<T>(change: (input: T) => Promise<unknown>, ...lists: QueryKey[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(lists.map((queryKey) => client.invalidateQueries({ queryKey }))),
    onError: (error) => tell({ text: error.message, failed: true }),
  });
}
