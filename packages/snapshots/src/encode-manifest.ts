import type { Entry } from './manifest.js';
import { linkFault, pathFault, quoted, refuse } from './tree-rules.js';

export const manifestHeader = 'mycloud-manifest 1\n';

/**
 * A path's place among others by the bytes of its UTF-8, as `<` orders strings: those order by UTF-16, where characters past
 * U+FFFF come before U+E000 … U+FFFF and not after them.
 */
function byteKey(path: string): string {
  if (!/[\ud800-\uffff]/.test(path)) return path;
  return path.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}

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
  const sorted = entries.map((entry) => ({ entry, key: byteKey(entry.path) }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  checkTree(sorted.map((item) => item.entry));
  const parts = [utf8.encode(manifestHeader)];
  for (let at = 0; at < sorted.length; at += linesAtOnce) {
    const lines = sorted.slice(at, at + linesAtOnce).map(({ entry }) => `${entryLine(entry)}\n`);
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

export function entryLine(entry: Entry): string {
  const { path, type } = entry;
  if (entry.type === 'dir') return JSON.stringify({ path, type, mode: entry.mode });
  if (entry.type === 'symlink') return JSON.stringify({ path, type, target: entry.target });
  const chunks = entry.chunks.map(({ hash, size }) => ({ hash, size }));
  return JSON.stringify({ path, type, mode: entry.mode, size: entry.size, chunks });
}

/** Checks what no single entry shows: order, duplicates, parents, links, sums. */
export function checkTree(entries: readonly Entry[]): void {
  const types = new Map<string, Entry['type']>();
  const links = new Map<string, string>();
  let previous = '';
  for (const entry of entries) {
    const { path } = entry;
    const fault = pathFault(path);
    if (fault) throw refuse(path, fault);
    if (types.has(path)) throw refuse(path, 'the path is listed twice');
    const key = byteKey(path);
    if (key < previous) throw refuse(path, 'the entry is out of order');
    previous = key;
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? 'dir' : types.get(path.slice(0, slash));
    if (parent === undefined) throw refuse(path, 'its folder is not listed before it');
    if (parent !== 'dir')
      throw refuse(path, `it lies under ${quoted(path.slice(0, slash))}, which is a ${parent}`);
    types.set(path, entry.type);
    if (entry.type === 'symlink') links.set(path, entry.target);
    if (entry.type === 'file') {
      const sum = entry.chunks.reduce((total, chunk) => total + chunk.size, 0);
      if (sum !== entry.size) throw refuse(path, `its chunks hold ${sum} bytes, its size says ${entry.size}`);
    }
  }
  for (const [path, target] of links) {
    const fault = linkFault(path, target, links);
    if (fault) throw refuse(path, fault);
  }
}
