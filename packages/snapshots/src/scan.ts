import { type BigIntStats, type Dirent, lstatSync } from 'node:fs';
import { lstat, open, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import type { Ignore } from 'ignore';
import { defaultIgnoreFiles, ignoreRules } from './ignore-rules.js';
import type { Entry } from './manifest.js';
import { eachLimit } from './pool.js';
import { type FileStamp, stampOf } from './stamp.js';
import { linkFault, pathFault, quoted } from './tree-rules.js';

export interface ScannedFile {
  /** In the tree, with slashes. */
  path: string;
  /** On this machine. */
  absolute: string;
  mode: 0o644 | 0o755;
  stamp: FileStamp;
}

/** Something that can't be stored, and why. */
export interface Refusal {
  path: string;
  reason: string;
}

export interface Scan {
  files: ScannedFile[];
  /** Folders and symbolic links. */
  others: Extract<Entry, { type: 'dir' | 'symlink' }>[];
  /** Bytes of all files. */
  bytes: number;
  /** Empty unless the scan was lenient. */
  refused: Refusal[];
}

export interface ScanOptions {
  /** Leave out what the ignore files say, `.git` and the command line's own `.mycloud.json`. For what a person uploads. */
  ignore?: boolean;
  /** Read at the top of the folder, gitignore syntax; the rules of all of them count. */
  ignoreFiles?: string[];
  /** Leave out what can't be stored and name it in `refused`, instead of throwing. For a job's output. */
  lenient?: boolean;
  signal?: AbortSignal;
}

/** Folders read at once. */
const parallel = 16;
/** Looked at between two turns of the event loop. */
const namesPerTurn = 256;

/**
 * Lists what is in a folder, reading no file. An empty folder gives no files; whether that is an error is the caller's.
 *
 * @throws AppError not_found when there is no such folder; bad_request listing every symbolic link that leaves the
 *   tree, device, socket, pipe and unreadable file.
 */
export async function scanFolder(dir: string, options: ScanOptions = {}): Promise<Scan> {
  const root = path.resolve(dir);
  await requireFolder(root);
  const ignored = options.ignore
    ? await readRules(root, options.ignoreFiles ?? defaultIgnoreFiles)
    : undefined;
  const scan: Scan = { files: [], others: [], bytes: 0, refused: [] };
  let level = [''];
  while (level.length > 0) {
    const below: string[] = [];
    await eachLimit(level, parallel, async (folder) => {
      options.signal?.throwIfAborted();
      const names = await namesIn(root, folder, scan.refused);
      const kept = names.filter(
        (name) => !ignored?.ignores(folder + name.name + (name.isDirectory() ? '/' : '')),
      );
      for (const [i, name] of kept.entries()) {
        if (i % namesPerTurn === namesPerTurn - 1) await turn();
        await look(root, folder + name.name, scan, below);
      }
    });
    level = below;
  }
  refuseLeavingLinks(scan);
  if (scan.refused.length > 0 && !options.lenient) throw refusal(root, scan.refused);
  // The order of a tree, so that what lies together is packed together.
  scan.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return scan;
}

async function requireFolder(root: string): Promise<void> {
  const stat = await lstat(`${root}${path.sep}`).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOTDIR') return undefined;
    const word = cause.code === 'ENOENT' ? 'there is no folder' : `cannot read the folder (${cause.code})`;
    throw new AppError(cause.code === 'ENOENT' ? 'not_found' : 'bad_request', `${word} ${root}`, { cause });
  });
  if (!stat?.isDirectory()) throw new AppError('bad_request', `${root} is a file, not a folder`);
}

async function readRules(root: string, names: string[]): Promise<Ignore> {
  return ignoreRules(
    await Promise.all(
      names.map((name) =>
        readFile(path.join(root, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return '';
          throw new AppError('bad_request', `cannot read the ignore file ${name}: ${error.message}`, {
            cause: error,
          });
        }),
      ),
    ),
  );
}

async function namesIn(root: string, folder: string, refused: Refusal[]): Promise<Dirent[]> {
  try {
    return await readdir(path.join(root, folder), { withFileTypes: true });
  } catch (error) {
    refused.push({ path: folder || '.', reason: `the folder can't be read (${codeOf(error)})` });
    return [];
  }
}

async function look(root: string, name: string, scan: Scan, below: string[]): Promise<void> {
  const absolute = path.join(root, name);
  const refuse = (reason: string): void => void scan.refused.push({ path: name, reason });
  let stat: BigIntStats;
  try {
    // The way to the thread pool and back would cost ten times the call.
    stat = lstatSync(absolute, { bigint: true });
  } catch (error) {
    // A name that isn't UTF-8 comes back from readdir with U+FFFD in it, and is not found.
    if (codeOf(error) === 'ENOENT' && name.includes('\uFFFD')) return refuse('the name is not valid UTF-8');
    if (codeOf(error) === 'ENOENT') return;
    return refuse(`it can't be read (${codeOf(error)})`);
  }
  const fault = pathFault(name);
  if (fault) return refuse(fault);
  if (stat.isDirectory()) {
    scan.others.push({ path: name, type: 'dir', mode: 0o755 });
    below.push(`${name}/`);
  } else if (stat.isSymbolicLink()) {
    scan.others.push({ path: name, type: 'symlink', target: await readlink(absolute) });
  } else if (!stat.isFile()) {
    refuse(`it is ${kindOf(stat)}, which can't be stored`);
  } else {
    const denied = await whyUnreadable(absolute, stat);
    if (denied) return refuse(`the file can't be read (${denied})`);
    const mode = (stat.mode & 0o111n) === 0n ? 0o644 : 0o755;
    scan.files.push({ path: name, absolute, mode, stamp: stampOf(stat) });
    scan.bytes += Number(stat.size);
  }
}

/** Opens only files that not everybody may read: the others cost no further call. */
async function whyUnreadable(absolute: string, stat: BigIntStats): Promise<string | undefined> {
  if ((stat.mode & 0o004n) !== 0n) return undefined;
  try {
    await (await open(absolute, 'r')).close();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function refuseLeavingLinks(scan: Scan): void {
  const links = new Map<string, string>();
  for (const entry of scan.others) if (entry.type === 'symlink') links.set(entry.path, entry.target);
  scan.others = scan.others.filter((entry) => {
    if (entry.type !== 'symlink') return true;
    const fault = linkFault(entry.path, entry.target, links);
    if (fault) scan.refused.push({ path: entry.path, reason: fault });
    return fault === undefined;
  });
}

function refusal(root: string, refused: Refusal[]): AppError {
  const shown = refused.slice(0, 20).map((item) => `\n  ${quoted(item.path)}: ${item.reason}`);
  const more = refused.length > shown.length ? `\n  and ${refused.length - shown.length} more` : '';
  const what = refused.length === 1 ? 'one entry' : `${refused.length} entries`;
  return new AppError('bad_request', `${what} of ${root} can't be stored:${shown.join('')}${more}`, {
    hint: 'Remove them, copy what the links point to into the folder, or name them in .mycloudignore.',
    details: { refused },
  });
}

function kindOf(stat: BigIntStats): string {
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
