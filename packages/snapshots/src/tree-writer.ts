import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  renameSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import type { Tree } from './tree.js';
import type { Place } from './tree-places.js';
import { caseTwins, quoted, refuse } from './tree-rules.js';

/** About a slab's: threads that make files in one folder wait for one another. */
const filesPerStage = 128;

interface WriterOptions {
  /** Files get mode 0444 or 0555. */
  readOnly?: boolean;
  /** The folder is new and nobody looks into it before it is whole: files are made in place. */
  fresh?: boolean;
  /** What is written: a later writer of the same goes on with the pieces of an earlier one that was killed. */
  key?: string;
}

/**
 * Writes files below a folder that may already hold something, never through a symbolic link. Files are made in a
 * staging folder and renamed into place when whole: a place holds the old file or the new one, never half.
 */
export class TreeWriter {
  /** Nothing was there when it was opened: nothing of an earlier try needs to be looked for. */
  foundEmpty = false;
  private staging = '';
  private readonly folders = new Set<string>();
  private readonly partial = new Map<number, { at: string; left: number }>();
  private count = 0;

  private constructor(
    private readonly root: string,
    private readonly tree: Tree,
    private readonly options: WriterOptions,
  ) {}

  /** @param dir made when it isn't there. @param tree whose files are named by their indexes */
  static async open(dir: string, tree: Tree, options: WriterOptions): Promise<TreeWriter> {
    const root = path.resolve(dir);
    await mkdir(root, { recursive: true });
    const writer = new TreeWriter(root, tree, options);
    writer.foundEmpty = options.fresh || (await readdir(root)).length === 0;
    if (!options.fresh) writer.staging = await takeStaging(root, options.key);
    return writer;
  }

  /** Removes the staging folder, but not the pieces of large files that a next try can go on with. */
  async close(): Promise<void> {
    if (this.options.fresh || (this.options.key !== undefined && this.partial.size > 0)) return;
    await rm(this.staging, { recursive: true, force: true });
  }

  /** @throws AppError conflict naming two entries that would be one file here, where names ignore case */
  async refuseTwins(paths: Iterable<string>): Promise<void> {
    // Asked first: the names of a million files would take more memory than all else that is known of them.
    if (!(await this.ignoresCase())) return;
    const twins = caseTwins(paths);
    if (!twins) return;
    throw new AppError(
      'conflict',
      `${quoted(twins[0])} and ${quoted(twins[1])} differ only by case, which this file system ignores`,
      { hint: 'Write them to a file system that tells them apart, or fetch only one of them.' },
    );
  }

  private async ignoresCase(): Promise<boolean> {
    const folder = this.staging || this.root;
    const probe = path.join(folder, `.mycloud-case-${randomUUID()}`);
    await writeFile(probe, '');
    try {
      return statOf(path.join(folder, path.basename(probe).toUpperCase())) !== undefined;
    } finally {
      await unlink(probe);
    }
  }

  /**
   * What is there of a file already, in its place or in pieces.
   * @returns undefined: nothing; `whole` says that it would be in its place
   */
  suspect(file: number): { at: string; whole: boolean } | undefined {
    const place = this.placeFor(file);
    const there = statOf(place);
    if (there?.isFile() && there.size === this.tree.size(file)) return { at: place, whole: true };
    if (this.tree.chunkCount(file) === 1) return undefined;
    const staged = this.stage(file);
    return statOf(staged)?.isFile() ? { at: staged, whole: false } : undefined;
  }

  /** Takes a file in its place for written. */
  keep(file: number): void {
    chmodSync(this.placeFor(file), this.modeOf(file));
  }

  /** Makes a folder and those above it. @throws AppError conflict when a file or link is in the way. */
  folder(name: string): void {
    if (name === '' || this.folders.has(name)) return;
    this.parentOf(name);
    const at = this.inside(name);
    const there = statOf(at);
    if (there && !there.isDirectory()) throw inTheWay(name, there);
    if (!there) mkdirSync(at, { mode: 0o755 });
    this.folders.add(name);
  }

  /** Writes a file without bytes. */
  empty(file: number): void {
    const at = this.stage(file);
    writeFileSync(at, '', { mode: 0o600 });
    chmodSync(at, this.modeOf(file));
    this.place(file, at);
  }

  /** Where a chunk at `offset` of a file goes; its folder must be there. `written` follows once it is there. */
  placeOf(file: number, offset: number): Place {
    if (this.tree.chunkCount(file) === 1) {
      return { kind: 'whole', at: this.stage(file), final: this.placeFor(file), mode: this.modeOf(file) };
    }
    return { kind: 'piece', at: this.partialOf(file).at, position: offset };
  }

  /** Takes down that `bytes` of a file were written. @returns true when they were the last and the file is in place */
  written(file: number, bytes: number): boolean {
    if (this.tree.chunkCount(file) === 1) return true;
    const partial = this.partialOf(file);
    partial.left -= bytes;
    if (partial.left > 0) return false;
    this.partial.delete(file);
    chmodSync(partial.at, this.modeOf(file));
    this.place(file, partial.at);
    return true;
  }

  /** The error for a file that couldn't be moved to where something else is, or else the one given. */
  explain(error: unknown): unknown {
    const { dest } = error as { dest?: string };
    const there = dest === undefined ? undefined : statOf(dest);
    return dest !== undefined && there?.isDirectory()
      ? inTheWay(path.relative(this.root, dest), there)
      : error;
  }

  /** Copies a file of another tree, sharing its bytes until one side writes, where the file system can. */
  async copy(file: number, source: string): Promise<void> {
    const at = this.stage(file);
    await copyFile(source, at, constants.COPYFILE_FICLONE);
    chmodSync(at, this.modeOf(file));
    this.place(file, at);
  }

  /** Makes a link; after all files, so that none is written through it. */
  link(name: string, target: string): void {
    this.parentOf(name);
    const at = this.inside(name);
    const there = statOf(at);
    if (there?.isDirectory()) throw inTheWay(name, there);
    if (there) unlinkSync(at);
    symlinkSync(target, at);
  }

  private partialOf(file: number): { at: string; left: number } {
    let partial = this.partial.get(file);
    if (!partial) {
      partial = { at: this.stage(file), left: this.tree.size(file) };
      this.partial.set(file, partial);
    }
    return partial;
  }

  private modeOf(file: number): number {
    const mode = this.tree.mode(file);
    if (!this.options.readOnly) return mode;
    return mode === 0o755 ? 0o555 : 0o444;
  }

  private placeFor(file: number): string {
    return this.inside(this.tree.path(file));
  }

  private place(file: number, staged: string): void {
    const at = this.placeFor(file);
    if (staged === at) return;
    try {
      // rename replaces a file or a link itself, whatever the link points to.
      renameSync(staged, at);
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Makes the folder a path lies in. */
  parentOf(name: string): void {
    const slash = name.lastIndexOf('/');
    if (slash > 0) this.folder(name.slice(0, slash));
  }

  private stage(file: number): string {
    if (this.options.fresh) return this.placeFor(file);
    // A large file's name says its content, so that its pieces are found again.
    if (this.tree.chunkCount(file) > 1) return path.join(this.staging, nameOf(this.tree, file));
    const folder = path.join(this.staging, String(Math.floor(this.count / filesPerStage)));
    // One that an earlier writer left when it was killed serves as well.
    if (this.count % filesPerStage === 0) mkdirSync(folder, { recursive: true });
    this.count += 1;
    return path.join(folder, String(this.count));
  }

  /** Where a path of the tree lies here: the last wall, whatever was checked before. */
  private inside(name: string): string {
    const at = path.resolve(this.root, name);
    const legal = at.startsWith(this.root + path.sep) || (this.root === path.sep && at !== path.sep);
    if (!legal || (path.sep === '\\' && /[\\:]/.test(name))) {
      throw refuse(name, "such a path can't be written on this machine");
    }
    return at;
  }
}

function nameOf(tree: Tree, file: number): string {
  const hash = createHash('sha256').update(tree.path(file));
  for (let i = 0; i < tree.chunkCount(file); i++) hash.update(tree.chunks.hash(tree.chunkId(file, i)));
  return hash.digest('hex');
}

/** Makes a staging folder, or takes over the one that a writer of the same left when it was killed. */
async function takeStaging(root: string, key: string = randomUUID()): Promise<string> {
  const staging = path.join(root, `.mycloud-partial-${key}`);
  await mkdir(staging, { mode: 0o700, recursive: true });
  const pidFile = path.join(staging, 'pid');
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (pid && pid !== process.pid && isAlive(pid)) return takeStaging(root);
  await writeFile(pidFile, String(process.pid));
  return staging;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Calls that block: the way to the thread pool and back would cost ten times the call. */
const statOf = (at: string): Stats | undefined => lstatSync(at, { throwIfNoEntry: false });

function inTheWay(name: string, there: Stats): AppError {
  const kind = there.isSymbolicLink() ? 'a symbolic link' : there.isDirectory() ? 'a folder' : 'a file';
  return new AppError('conflict', `${quoted(name)} can't be written: ${kind} is in its place`, {
    hint: 'Remove it, or choose another folder.',
  });
}
