import type { Entry } from './manifest.js';

export interface Diff {
  added: string[];
  removed: string[];
  changed: string[];
}

/** Paths that tree `b` has more than `a`, less, or with other content, mode or target; folders count only as such. */
export function diffEntries(a: Iterable<Entry>, b: Iterable<Entry>): Diff {
  const before = new Map(Array.from(a, (entry) => [entry.path, entry]));
  const diff: Diff = { added: [], removed: [], changed: [] };
  for (const entry of b) {
    const old = before.get(entry.path);
    before.delete(entry.path);
    if (!old) diff.added.push(entry.path);
    else if (!same(old, entry)) diff.changed.push(entry.path);
  }
  diff.removed.push(...before.keys());
  return diff;
}

function same(a: Entry, b: Entry): boolean {
  if (a.type === 'symlink' && b.type === 'symlink') return a.target === b.target;
  if (a.type === 'dir' && b.type === 'dir') return a.mode === b.mode;
  if (a.type !== 'file' || b.type !== 'file') return false;
  if (a.mode !== b.mode || a.size !== b.size) return false;
  // The same bytes may have been cut differently by an older version: then they count as changed.
  return (
    a.chunks.length === b.chunks.length && a.chunks.every((chunk, i) => chunk.hash === b.chunks[i]?.hash)
  );
}
