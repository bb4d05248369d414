import type { Entry } from './manifest.js';
import { TreeCheck } from './tree-check.js';
import { comparePaths } from './tree-rules.js';

export const manifestHeader = 'mycloud-manifest 1\n';

const utf8 = new TextEncoder();
/** Lines encoded at once: a manifest may be longer than a string can be. */
const linesAtOnce = 4096;

/**
 * Writes the canonical manifest: a header line, then one compact JSON line an entry, sorted by the UTF-8 bytes of
 * its path, every folder listed. The same tree always gives the same bytes, whatever the order of `entries`.
 *
 * @throws AppError bad_request naming the entry that may not stand in a tree.
 */
export function encodeManifest(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path));
  const check = new TreeCheck();
  for (const entry of sorted) check.take(entry);
  check.end();
  const parts = [utf8.encode(manifestHeader)];
  for (let at = 0; at < sorted.length; at += linesAtOnce) {
    const lines = sorted.slice(at, at + linesAtOnce).map((entry) => `${entryLine(entry)}\n`);
    parts.push(utf8.encode(lines.join('')));
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/** An entry as a manifest says it, without the line's end. */
export function entryLine(entry: Entry): string {
  const { path, type } = entry;
  if (entry.type === 'dir') return JSON.stringify({ path, type, mode: entry.mode });
  if (entry.type === 'symlink') return JSON.stringify({ path, type, target: entry.target });
  const chunks = entry.chunks.map(({ hash, size }) => ({ hash, size }));
  return JSON.stringify({ path, type, mode: entry.mode, size: entry.size, chunks });
}
