import type { ChangedPath } from '@mycloud/shared';
import { diffEntries, type Entry } from '@mycloud/snapshots';

/** Files and links that tree `after` has more than `before`, less or otherwise, by path. */
export function changedPaths(before: Entry[], after: Entry[]): ChangedPath[] {
  const [old, now] = [byPath(before), byPath(after)];
  const { added, removed, changed } = diffEntries([...old.values()], [...now.values()]);
  const size = (entry: Entry | undefined) => (entry?.type === 'file' ? entry.size : null);
  const of = (paths: string[], change: ChangedPath['change']) =>
    paths.map((path) => ({ path, change, before: size(old.get(path)), after: size(now.get(path)) }));
  return [...of(added, 'added'), ...of(removed, 'removed'), ...of(changed, 'changed')].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

const byPath = (entries: Entry[]): Map<string, Entry> =>
  new Map(entries.filter((entry) => entry.type !== 'dir').map((entry) => [entry.path, entry]));
