import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import { defaultIgnoreFiles, ignoreRules } from './ignore-rules.js';
import { stampOf } from './stamp.js';
import { Tree } from './tree.js';
import { comparePaths, linkFault, pathFault, quoted } from './tree-rules.js';

/** Something that can't be stored, and why. */
export interface Refusal {
  path: string;
  reason: string;
}

export interface Scan {
  /** Its files have stamps and no chunks yet. */
  tree: Tree;
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

/** Looked at between two turns of the event loop. */
const namesPerTurn = 512;

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
  const scan: Scan = { tree: new Tree(), refused: [] };
  await new Walk(root, scan, ignored, options.signal).folder('');
  refuseLeavingLinks(scan);
  if (scan.refused.length > 0 && !options.lenient) throw refusal(root, scan.refused);
  return scan;
}

/** All that a scan said as 64 digits: the same of two scans means that no file was changed, added or removed in between. */
export function scannedHash(tree: Tree): string {
  const hash = createHash('sha256');
  for (const bytes of tree.scanned()) hash.update(bytes);
  return hash.digest('hex');
}

async function requireFolder(root: string): Promise<void> {
  const stat = await lstat(`${root}${path.sep}`).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOTDIR') return undefined;
    const word = cause.code === 'ENOENT' ? 'there is no folder' : `cannot read the folder (${cause.code})`;
    throw new AppError(cause.code === 'ENOENT' ? 'not_found' : 'bad_request', `${word} ${root}`, { cause });
  });
  if (!stat?.isDirectory()) throw new AppError('bad_request', `${root} is a file, not a folder`);
}

/** @returns whether a path is ignored; a folder's ends in a slash */
async function readRules(root: string, names: string[]): Promise<(path: string) => boolean> {
  return ignoreRules(await Promise.all(names.map((name) => readIgnoreFile(root, name))));
}

async function readIgnoreFile(root: string, name: string): Promise<string> {
  try {
    return await readFile(path.join(root, name), 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return '';
    throw new AppError('bad_request', `cannot read the ignore file ${name}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Goes through a folder in the order of a manifest, so that nothing has to be sorted, or held, as a whole. */
class Walk {
  private looked = 0;

  constructor(
    private readonly root: string,
    private readonly scan: Scan,
    private readonly ignored: ((path: string) => boolean) | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @param prefix the folder's path with a slash after it, or nothing */
  async folder(prefix: string): Promise<void> {
    // "d" comes before "d-x", and "d-x" before "d/y": what is in a folder waits until a later name is past its slash.
    const waiting: string[] = [];
    for (const name of this.namesIn(prefix)) {
      while (waiting.length > 0 && comparePaths(waiting.at(-1)!, name) < 0)
        await this.folder(prefix + waiting.pop()!);
      this.looked += 1;
      if (this.looked % namesPerTurn === 0) {
        await turn();
        this.signal?.throwIfAborted();
      }
      if (this.look(prefix + name) === 'folder') waiting.push(`${name}/`);
    }
    while (waiting.length > 0) await this.folder(prefix + waiting.pop()!);
  }

  private namesIn(folder: string): string[] {
    try {
      return readdirSync(path.join(this.root, folder)).sort(comparePaths);
    } catch (error) {
      this.scan.refused.push({ path: folder || '.', reason: `the folder can't be read (${codeOf(error)})` });
      return [];
    }
  }

  private look(name: string): 'folder' | undefined {
    // Calls that block: the way to the thread pool and back would cost ten times the call.
    const absolute = `${this.root}${path.sep}${name}`;
    const { tree } = this.scan;
    const refuse = (reason: string): undefined => void this.scan.refused.push({ path: name, reason });
    let stat: Stats;
    try {
      stat = lstatSync(absolute);
    } catch (error) {
      if (this.ignored?.(name)) return;
      // A name that isn't UTF-8 comes back from readdir with U+FFFD in it, and is not found.
      if (codeOf(error) === 'ENOENT' && name.includes('\uFFFD')) return refuse('the name is not valid UTF-8');
      if (codeOf(error) === 'ENOENT') return;
      return refuse(`it can't be read (${codeOf(error)})`);
    }
    const type = stat.mode & constants.S_IFMT;
    if (this.ignored?.(type === constants.S_IFDIR ? `${name}/` : name)) return;
    const fault = pathFault(name);
    if (fault) return refuse(fault);
    if (type === constants.S_IFDIR) {
      tree.addDir(name);
      return 'folder';
    }
    if (type === constants.S_IFLNK) tree.addLink(name, readlinkSync(absolute));
    else if (type !== constants.S_IFREG) refuse(`it is ${kindOf(stat)}, which can't be stored`);
    else {
      const denied = whyUnreadable(absolute, stat);
      if (denied) refuse(`the file can't be read (${denied})`);
      else tree.addStamped(name, (stat.mode & 0o111) === 0 ? 0o644 : 0o755, stampOf(stat));
    }
  }
}

/** Opens only files that not everybody may read: the others cost no further call. */
function whyUnreadable(absolute: string, stat: Stats): string | undefined {
  if ((stat.mode & 0o004) !== 0) return undefined;
  try {
    closeSync(openSync(absolute, 'r'));
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function refuseLeavingLinks({ tree, refused }: Scan): void {
  const links = new Map(tree.links().map((index) => [tree.path(index), tree.target(index)!]));
  for (const index of tree.links()) {
    const name = tree.path(index);
    const fault = linkFault(name, tree.target(index)!, links);
    if (!fault) continue;
    refused.push({ path: name, reason: fault });
    tree.leaveOut(index);
  }
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

function kindOf(stat: Stats): string {
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
