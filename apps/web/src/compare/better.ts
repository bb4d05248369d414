/** Where the best of some values stand; none where only one has any, or all are as good. */
export function bestOf(values: readonly (number | undefined)[], way: 'low' | 'high'): number[] {
  const known = values.filter((value) => value !== undefined);
  if (known.length < 2) return [];
  const best = way === 'low' ? Math.min(...known) : Math.max(...known);
  if (known.every((value) => value === best)) return [];
  return values.flatMap((value, i) => (value === best ? [i] : []));
}
