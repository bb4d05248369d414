import { randomUUID } from 'node:crypto';
import { closeSync, constants, fchmodSync, open, type Stats, write } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, rename, rm, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';
import type { ManifestFile } from './manifest.js';
import { quoted, refuse } from './tree-rules.js';

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
    private readonly readOnly: boolean,
  ) {
    this.staging = path.join(root, `.mycloud-partial-${randomUUID()}`);
  }

  /** @param dir made when it isn't there. */
  static async open(dir: string, readOnly: boolean): Promise<TreeWriter> {
    const root = path.resolve(dir);
    await mkdir(root, { recursive: true });
    const writer = new TreeWriter(root, readOnly);
    await mkdir(writer.staging, { mode: 0o700 });
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

  /** Writes a file that is one chunk, or none. */
  async whole(file: ManifestFile, data: Uint8Array): Promise<void> {
    const at = this.stage();
    const fd = await openFile(at, 'wx', 0o600);
    try {
      await writeAll(fd, data, 0);
      // An open file's mode and end don't wait for a disk; the way to the thread pool would cost more.
      fchmodSync(fd, this.modeOf(file));
    } finally {
      closeSync(fd);
    }
    await this.place(file, at);
  }

  /** Copies a file of another tree, sharing its bytes until one side writes, where the file system can. */
  async copy(file: ManifestFile, source: string): Promise<void> {
    const at = this.stage();
    await copyFile(source, at, constants.COPYFILE_FICLONE);
    await chmod(at, this.modeOf(file));
    await this.place(file, at);
  }

  /** Writes a piece of a file at an offset. @returns true when it was the last one and the file is in place. */
  async piece(file: ManifestFile, offset: number, data: Uint8Array): Promise<boolean> {
    let partial = this.partial.get(file);
    if (!partial) {
      partial = { at: this.stage(), left: file.size };
      this.partial.set(file, partial);
    }
    const fd = await openFile(partial.at, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      await writeAll(fd, data, offset);
    } finally {
      closeSync(fd);
    }
    partial.left -= data.length;
    if (partial.left > 0) return false;
    this.partial.delete(file);
    await chmod(partial.at, this.modeOf(file));
    await this.place(file, partial.at);
    return true;
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
    if (!this.readOnly) return file.mode;
    return file.mode === 0o755 ? 0o555 : 0o444;
  }

  private async place(file: ManifestFile, staged: string): Promise<void> {
    await this.parentOf(file.path);
    const at = this.inside(file.path);
    try {
      // rename replaces a file or a link itself, whatever the link points to.
      await rename(staged, at);
    } catch (cause) {
      const there = await statOf(at);
      if (there?.isDirectory()) throw inTheWay(file.path, there);
      throw cause;
    }
  }

  private async parentOf(name: string): Promise<void> {
    const slash = name.lastIndexOf('/');
    await this.folder(slash < 0 ? '' : name.slice(0, slash));
  }

  private stage(): string {
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

const openFile = promisify(open);
const writeSome = promisify(write);

async function writeAll(fd: number, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await writeSome(fd, data, done, data.length - done, offset + done)).bytesWritten;
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
