import { createHash, randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import type { ManifestFile } from './manifest.js';
import type { Place } from './tree-places.js';
import { caseTwins, quoted, refuse } from './tree-rules.js';

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
  private staging = '';
  private readonly folders = new Set<string>();
  private readonly partial = new Map<ManifestFile, { at: string; left: number }>();
  private count = 0;

  private constructor(
    private readonly root: string,
    private readonly options: WriterOptions,
  ) {}

  /** @param dir made when it isn't there. */
  static async open(dir: string, options: WriterOptions): Promise<TreeWriter> {
    const root = path.resolve(dir);
    await mkdir(root, { recursive: true });
    const writer = new TreeWriter(root, options);
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
    const twins = caseTwins(paths);
    if (!twins || !(await this.ignoresCase())) return;
    throw new AppError(
      'conflict',
      `${quoted(twins[0])} and ${quoted(twins[1])} differ only by case, which this file system ignores`,
      { hint: 'Write them to a file system that tells them apart, or fetch only one of them.' },
    );
  }

  private async ignoresCase(): Promise<boolean> {
    const probe = path.join(this.root, `.mycloud-case-${randomUUID()}`);
    await writeFile(probe, '');
    try {
      return (await statOf(path.join(this.root, path.basename(probe).toUpperCase()))) !== undefined;
    } finally {
      await unlink(probe);
    }
  }

  /**
   * What is there of a file already, in its place or in pieces.
   * @returns undefined: nothing; `whole` says that it would be in its place
   */
  async suspect(file: ManifestFile): Promise<{ at: string; whole: boolean } | undefined> {
    const place = this.inside(file.path);
    const there = await statOf(place);
    if (there?.isFile() && there.size === file.size) return { at: place, whole: true };
    if (file.chunks.length === 1) return undefined;
    const staged = this.stage(file);
    return (await statOf(staged))?.isFile() ? { at: staged, whole: false } : undefined;
  }

  /** Takes a file in its place for written. */
  async keep(file: ManifestFile): Promise<void> {
    await chmod(this.inside(file.path), this.modeOf(file));
  }

  /** Makes a folder and those above it. @throws AppError conflict when a file or link is in the way. */
  async folder(name: string): Promise<void> {
    if (name === '' || this.folders.has(name)) return;
    const slash = name.lastIndexOf('/');
    await this.folder(slash < 0 ? '' : name.slice(0, slash));
    const at = this.inside(name);
    const there = await statOf(at);
    if (there && !there.isDirectory()) throw inTheWay(name, there);
    // Another file of this folder may be making it at the same time.
    if (!there) await mkdir(at, { mode: 0o755, recursive: true });
    this.folders.add(name);
  }

  /** Writes a file without bytes. */
  async empty(file: ManifestFile): Promise<void> {
    const at = this.stage(file);
    await writeFile(at, '', { mode: 0o600 });
    await chmod(at, this.modeOf(file));
    await this.place(file, at);
  }

  /** Where a chunk at `offset` of a file goes; its folder must be there. `written` follows once it is there. */
  placeOf(file: ManifestFile, offset: number): Place {
    if (file.chunks.length === 1) {
      return { kind: 'whole', at: this.stage(file), final: this.inside(file.path), mode: this.modeOf(file) };
    }
    return { kind: 'piece', at: this.partialOf(file).at, position: offset };
  }

  /** Takes down that `bytes` of a file were written. @returns true when they were the last and the file is in place */
  async written(file: ManifestFile, bytes: number): Promise<boolean> {
    if (file.chunks.length === 1) return true;
    const partial = this.partialOf(file);
    partial.left -= bytes;
    if (partial.left > 0) return false;
    this.partial.delete(file);
    await chmod(partial.at, this.modeOf(file));
    await this.place(file, partial.at);
    return true;
  }

  /** The error for a file that couldn't be moved to where something else is, or else the one given. */
  async explain(error: unknown): Promise<unknown> {
    const { dest } = error as { dest?: string };
    const there = dest === undefined ? undefined : await statOf(dest);
    return dest !== undefined && there?.isDirectory()
      ? inTheWay(path.relative(this.root, dest), there)
      : error;
  }

  /** Copies a file of another tree, sharing its bytes until one side writes, where the file system can. */
  async copy(file: ManifestFile, source: string): Promise<void> {
    const at = this.stage(file);
    await copyFile(source, at, constants.COPYFILE_FICLONE);
    await chmod(at, this.modeOf(file));
    await this.place(file, at);
  }

  /** Makes a link; after all files, so that none is written through it. */
  async link(name: string, target: string): Promise<void> {
    await this.parentOf(name);
    const at = this.inside(name);
    const there = await statOf(at);
    if (there?.isDirectory()) throw inTheWay(name, there);
    if (there) await unlink(at);
    await symlink(target, at);
  }

  private partialOf(file: ManifestFile): { at: string; left: number } {
    let partial = this.partial.get(file);
    if (!partial) {
      partial = { at: this.stage(file), left: file.size };
      this.partial.set(file, partial);
    }
    return partial;
  }

  private modeOf(file: ManifestFile): number {
    if (!this.options.readOnly) return file.mode;
    return file.mode === 0o755 ? 0o555 : 0o444;
  }

  private async place(file: ManifestFile, staged: string): Promise<void> {
    const at = this.inside(file.path);
    if (staged === at) return;
    try {
      // rename replaces a file or a link itself, whatever the link points to.
      await rename(staged, at);
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** Makes the folder a path lies in. */
  async parentOf(name: string): Promise<void> {
    const slash = name.lastIndexOf('/');
    await this.folder(slash < 0 ? '' : name.slice(0, slash));
  }

  private stage(file: ManifestFile): string {
    if (this.options.fresh) return this.inside(file.path);
    // A large file's name says its content, so that its pieces are found again.
    if (file.chunks.length > 1) return path.join(this.staging, nameOf(file));
    this.count += 1;
    return path.join(this.staging, String(this.count));
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

function nameOf(file: ManifestFile): string {
  const hash = createHash('sha256').update(file.path);
  for (const chunk of file.chunks) hash.update(chunk.hash);
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

async function statOf(at: string): Promise<Stats | undefined> {
  try {
    return await lstat(at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function inTheWay(name: string, there: Stats): AppError {
  const kind = there.isSymbolicLink() ? 'a symbolic link' : there.isDirectory() ? 'a folder' : 'a file';
  return new AppError('conflict', `${quoted(name)} can't be written: ${kind} is in its place`, {
    hint: 'Remove it, or choose another folder.',
  });
}
