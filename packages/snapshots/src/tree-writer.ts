import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import type { ManifestFile } from './manifest.js';
import type { Place } from './tree-places.js';
import { quoted, refuse } from './tree-rules.js';

interface WriterOptions {
  /** Files get mode 0444 or 0555. */
  readOnly?: boolean;
  /** The folder is new and nobody looks into it before it is whole: files are made in place. */
  fresh?: boolean;
}

/**
 * Writes files below a folder that may already hold something, never through a symbolic link. Files are made in a
 * staging folder and renamed into place when whole: a place holds the old file or the new one, never half.
 */
export class TreeWriter {
  private readonly staging: string;
  private readonly folders = new Set<string>();
  private readonly partial = new Map<ManifestFile, { at: string; left: number }>();
  private count = 0;

  private constructor(
    private readonly root: string,
    private readonly options: WriterOptions,
  ) {
    this.staging = path.join(root, `.mycloud-partial-${randomUUID()}`);
  }

  /** @param dir made when it isn't there. */
  static async open(dir: string, options: WriterOptions): Promise<TreeWriter> {
    const root = path.resolve(dir);
    await mkdir(root, { recursive: true });
    const writer = new TreeWriter(root, options);
    if (!options.fresh) await mkdir(writer.staging, { mode: 0o700 });
    return writer;
  }

  /** Removes the staging folder with whatever is unfinished. */
  async close(): Promise<void> {
    await rm(this.staging, { recursive: true, force: true });
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
    let partial = this.partial.get(file);
    if (!partial) {
      partial = { at: this.stage(file), left: file.size };
      this.partial.set(file, partial);
    }
    return { kind: 'piece', at: partial.at, position: offset };
  }

  /** Takes down that `bytes` of a file were written. @returns true when they were the last and the file is in place */
  async written(file: ManifestFile, bytes: number): Promise<boolean> {
    const partial = this.partial.get(file);
    if (!partial) return true;
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
