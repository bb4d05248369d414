import { AppError } from '@mycloud/shared/browser';

/** Longest name of one file or folder, in bytes of UTF-8: what ext4, xfs, apfs and ntfs allow. */
const maxNameBytes = 255;
const maxPathBytes = 4096;
/** As many links as Linux follows before it says ELOOP. */
const maxHops = 40;

/** The path as it can stand in a message or a terminal: quoted, control characters escaped. */
export const quoted = (path: string): string => JSON.stringify(path);

const utf8 = new TextEncoder();
/** A character of UTF-16 is at most three bytes of UTF-8: only what may be too long is counted. */
const longer = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && utf8.encode(text).length > bytes;
/** Half a surrogate pair is no character. */
const isUnicode = (text: string): boolean => !/\p{Surrogate}/u.test(text);
/** Paths that need no closer look: printable ASCII without backslashes, short, no part of them empty, "." or "..". */
const plainPath = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[ -[\]-~]{1,255}$/;

/** @returns why the path can't stand in a tree, or undefined when it can. */
export function pathFault(path: string): string | undefined {
  if (plainPath.test(path)) return undefined;
  if (path === '') return 'the path is empty';
  if (path.includes('\0')) return 'the name holds a NUL byte';
  if (!isUnicode(path)) return 'the name is not valid Unicode';
  if (path.startsWith('/')) return 'the path is absolute';
  if (longer(path, maxPathBytes)) return `the path is longer than ${maxPathBytes} bytes`;
  for (const name of path.split('/')) {
    if (name === '' || name === '.') return 'a part of the path is empty or "."';
    // A backslash is an ordinary character on Linux and a separator on Windows: ".." hides behind neither.
    if (name.split('\\').includes('..')) return 'the path goes up by ".."';
    if (longer(name, maxNameBytes)) return `a name is longer than ${maxNameBytes} bytes`;
  }
  return undefined;
}

/**
 * The order of a manifest: by the bytes of UTF-8. UTF-16 has the same, but for surrogates, which stand for characters
 * above all others and lie below some.
 */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? lifted(x) - lifted(y) : x - y;
  }
  return a.length - b.length;
}

const lifted = (unit: number): number => (unit < 0xe000 ? unit + 0x10000 : unit);

/**
 * Follows a symbolic link as the kernel would, through the other links of its tree.
 * Lexical checks aren't enough: with `up -> ..` in a/b, `a/b/up/../..` looks like the root and is above it.
 *
 * @param links path → target of every symbolic link of the tree.
 * @returns why the link may not stand in the tree, or undefined when it stays inside (also when it dangles).
 */
export function linkFault(
  path: string,
  target: string,
  links: ReadonlyMap<string, string>,
): string | undefined {
  if (target === '' || target.includes('\0')) return 'the link has no valid target';
  if (!isUnicode(target)) return "the link's target is not valid Unicode";
  if (longer(target, maxPathBytes)) return `the link's target is longer than ${maxPathBytes} bytes`;
  if (target.startsWith('/') || /^[A-Za-z]:[\\/]/.test(target))
    return `the link points to ${quoted(target)}, an absolute path`;
  if (target.split('\\').length > 1 && target.split(/[\\/]/).includes('..'))
    return `the link points to ${quoted(target)}, which mixes backslashes and ".."`;
  const outside = `the link points to ${quoted(target)}, outside the folder`;
  const at = path.split('/').slice(0, -1);
  const ahead = target.split('/').reverse();
  let hops = 0;
  while (ahead.length > 0) {
    const name = ahead.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (at.length === 0) return outside;
      at.pop();
      continue;
    }
    at.push(name);
    const next = links.get(at.join('/'));
    if (next === undefined) continue;
    hops += 1;
    // The kernel gives up here too: such a link leads nowhere.
    if (hops > maxHops) return undefined;
    if (next.startsWith('/')) return outside;
    at.pop();
    ahead.push(...next.split('/').reverse());
  }
  return undefined;
}

/** Names that are one and the same where case doesn't count (macOS, Windows): the first two, or undefined. */
export function caseTwins(paths: Iterable<string>): [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const path of paths) {
    // As those file systems compare: precomposed or not, upper or lower.
    const folded = path.normalize('NFC').toLowerCase();
    const twin = seen.get(folded);
    if (twin !== undefined) return [twin, path];
    seen.set(folded, path);
  }
  return undefined;
}

/** The error for an entry that may not stand in a tree. */
export function refuse(path: string, fault: string): AppError {
  return new AppError('bad_request', `${quoted(path)}: ${fault}`, { details: { path } });
}
