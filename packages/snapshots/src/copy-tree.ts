import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import path from 'node:path';
import { eachLimit } from './pool.js';
import type { Tree } from './tree.js';
import { TreeWriter } from './tree-writer.js';

const parallel = 16;
// Shares the bytes until one side writes, where the file system can; copies them otherwise.
const clone = constants.COPYFILE_FICLONE;

/**
 * Copies a whole tree to `target`, which must not hold anything in its way. The copy shares nothing that a write could reach.
 * @param options.keepModes files get the modes of the source; otherwise 0644 or 0755
 */
export async function copyFolder(
  source: string,
  target: string,
  options: { keepModes?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  await mkdir(target, { recursive: true, mode: 0o755 });
  const names = await readdir(source, { withFileTypes: true });
  await eachLimit(names, parallel, async (name) => {
    const from = path.join(source, name.name);
    const to = path.join(target, name.name);
    if (name.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (name.isFile()) {
      await copyFile(from, to, clone | constants.COPYFILE_EXCL);
      // A copy has the mode of what was copied; two more calls a file would double what sharing blocks takes.
      if (!options.keepModes) await chmod(to, modeOf((await lstat(from)).mode));
    }
  });
  // Folders one after the other: nested limits would multiply.
  for (const name of names) {
    if (name.isDirectory())
      await copyFolder(path.join(source, name.name), path.join(target, name.name), options);
  }
}

/**
 * Copies chosen entries of a tree into a folder that may hold something already, replacing what has their paths.
 * @param options.readOnly files get mode 0444 or 0555; otherwise 0644 or 0755
 */
export async function copyTree(
  tree: Tree,
  chosen: Iterable<number>,
  source: string,
  target: string,
  options: { readOnly?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const writer = await TreeWriter.open(target, tree, { readOnly: options.readOnly });
  const links: number[] = [];
  try {
    await eachLimit(chosen, parallel, async (index) => {
      options.signal?.throwIfAborted();
      const name = tree.path(index);
      if (tree.isDir(index)) writer.folder(name);
      else if (!tree.isFile(index)) links.push(index);
      else {
        writer.parentOf(name);
        await writer.copy(index, path.join(source, name));
      }
    });
    for (const index of links) writer.link(tree.path(index), tree.target(index)!);
  } finally {
    await writer.close();
  }
}

const modeOf = (mode: number): number => ((mode & 0o111) !== 0 ? 0o755 : 0o644);
