import { structuredPatch } from 'diff';

export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'gap';
  text: string;
  /** Number in the one and the other file. */
  before?: number;
  after?: number;
}

/** Longer than this, finding the smallest difference would be felt. */
const mostMs = 1500;

/** The lines that differ, with three around each; undefined for files too different to be set against each other. */
export function lineDiff(before: string, after: string): DiffLine[] | undefined {
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context: 3, timeout: mostMs });
  if (!patch) return undefined;
  return patch.hunks.flatMap(({ oldStart, newStart, lines }): DiffLine[] => {
    let [old, now] = [oldStart, newStart];
    const own = lines.map((line): DiffLine => {
      const text = line.slice(1);
      if (line[0] === '+') return { kind: 'added', text, after: now++ };
      if (line[0] === '-') return { kind: 'removed', text, before: old++ };
      // What git says of a last line without its end.
      if (line[0] === '\\') return { kind: 'gap', text: text.trim() };
      return { kind: 'same', text, before: old++, after: now++ };
    });
    return [{ kind: 'gap', text: `from line ${newStart}` }, ...own];
  });
}

/** @returns undefined for what is no text */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
