import { constants, copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder, loginFile, readLogin, readSavedLogin } from '../context.js';
import type { Finding } from './check.js';

/** The saved login: whether it can be read, and by whom. */
export async function login(): Promise<Finding> {
  const name = 'Login';
  const file = loginFile();
  const { url, token } = await readLogin();
  const saved = await readSavedLogin();
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found && !saved) {
    return {
      name,
      state: 'problem',
      text: `${file} can't be read as a login`,
      hint: 'Run: mycloud login --url …',
    };
  }
  if (!url || !token) {
    const hint = url
      ? 'MYCLOUD_URL names a server that is not the one you are logged in to: set MYCLOUD_TOKEN too, or log in to it.'
      : 'Start a server: mycloud up. Or log in to one: mycloud login --url http://SERVER:7070';
    return { name, state: 'note', text: url ? `no token for ${url}` : 'not logged in', hint };
  }
  const text =
    saved?.url === url && saved.token === token
      ? `${url}, by ${file}`
      : `${url}, by MYCLOUD_URL and MYCLOUD_TOKEN`;
  // Windows has no such bits.
  if (found && process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    return {
      name,
      state: 'problem',
      text: `${file} can be read by other users of this machine`,
      hint: `Run: chmod 600 ${file}; and make a new token, should anybody have read it: mycloud login`,
    };
  }
  return { name, state: 'ok', text };
}

/** Whether files that are copied here share their blocks, as the caches of datasets and the workers' inputs do where they can. */
export async function reflinks(folder = cacheFolder()): Promise<Finding> {
  const name = 'File system';
  await mkdir(folder, { recursive: true });
  const dir = await mkdtemp(path.join(folder, 'doctor-'));
  try {
    const from = path.join(dir, 'a');
    await writeFile(from, 'a'.repeat(4096));
    await copyFile(from, path.join(dir, 'b'), constants.COPYFILE_FICLONE_FORCE);
    return { name, state: 'ok', text: `copies below ${folder} share their blocks` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code || !['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY'].includes(code))
      throw error;
    // Works everywhere all the same: where two may share nothing they are linked or copied.
    return {
      name,
      state: 'ok',
      text: `copies below ${folder} cost their size; Btrfs and XFS would share it`,
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
