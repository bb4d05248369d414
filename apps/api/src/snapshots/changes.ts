import type { TreeChange } from '@mycloud/shared';
import { diffEntries, type Entry } from '@mycloud/snapshots';

const sizeOf = (entry: Entry | undefined): number | null =>
  entry === undefined ? null : entry.type === 'file' ? entry.size : 0;

/** What tree `b` has more, less or other than `a`, by path, with the bytes of each kind. */
export function treeChanges(a: Iterable<Entry>, b: Iterable<Entry>) {
  const before = new Map(Array.from(a, (entry) => [entry.path, entry]));
  const after = new Map(Array.from(b, (entry) => [entry.path, entry]));
  const diff = diffEntries(before.values(), after.values());
  const list = (paths: readonly string[], change: TreeChange['change']): TreeChange[] =>
    paths.map((path) => ({
      path,
      type: (after.get(path) ?? before.get(path))!.type,
      change,
      before: sizeOf(before.get(path)),
      after: sizeOf(after.get(path)),
    }));
  const added = list(diff.added, 'added');
  const removed = list(diff.removed, 'removed');
  const changed = list(diff.changed, 'changed');
  const totals = (items: TreeChange[]) => ({
    paths: items.length,
    bytes: items.reduce((sum, item) => sum + (item.after ?? item.before ?? 0), 0),
  });
  const items = [...added, ...removed, ...changed].sort((x, y) => (x.path < y.path ? -1 : 1));
  return { added: totals(added), removed: totals(removed), changed: totals(changed), items };
}
