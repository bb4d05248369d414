import { accessSync, constants } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where .ci/run keeps the programs that take long to build. */
const kept = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mycloud-ci/bin');

/** Where a program lies: in PATH, in the folder that .ci/run keeps, or at one of `paths`; undefined when it isn't there. */
function findProgram(name: string, paths: string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter).filter(Boolean), kept];
  return [...paths, ...folders.map((folder) => path.join(folder, name))].find(mayRun);
}

/**
 * A program that a test can't do without.
 * @returns its path, or undefined when it is missing: `describe.skipIf(!program)`
 * @throws Error when it is missing and MYCLOUD_TEST_STRICT=1, so that nothing is skipped unseen in CI
 */
export function wantProgram(name: string, paths: string[] = []): string | undefined {
  const found = findProgram(name, paths);
  if (!found && process.env.MYCLOUD_TEST_STRICT === '1') throw missing(name);
  return found;
}

/** Like wantProgram where it is too late to skip (a suite skips by `describe.skipIf`). @throws Error when it is missing */
export function requireProgram(name: string, options: { paths?: string[] } = {}): string {
  const found = findProgram(name, options.paths);
  if (!found) throw missing(name);
  return found;
}

function missing(name: string): Error {
  return new Error(`${name} is missing: it is neither in PATH nor in ${kept}; .ci/run installs it`);
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}
