import { execFile } from 'node:child_process';
import { access, chown, constants, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';

const exec = promisify(execFile);

/** How PostgreSQL's programs are started: it refuses to run as root. */
export interface PostgresOwner {
  /** Goes before the program. */
  prefix: string[];
  uid?: number;
  gid?: number;
}

/** Root's own user id, seen from inside as that of an ordinary user. */
const unshare = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];

/**
 * Who runs the database. Anybody but root: themselves. Root: root, in a user namespace that shows it as somebody else, so
 * that no user is made and no folder opened up; where namespaces are forbidden, the user `postgres`.
 * @param dir the database's folder, made when it isn't there
 * @param programs a folder it must reach too
 */
export async function postgresOwner(dir: string, programs: string): Promise<PostgresOwner> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return { prefix: [] };
  // A folder that the user postgres has filled can't be used by anybody else.
  const { uid: madeBy } = await stat(dir);
  if (madeBy === 0 && (await works([...unshare, 'true']))) return { prefix: unshare };

  const ids = (await idsOf('postgres')) ?? (await makeUser('postgres'));
  if (madeBy === 0) await chown(dir, ids.uid, ids.gid);
  for (const folder of [dir, programs]) await checkReach(folder, ids);
  return { prefix: [], ...ids };
}

async function works([command = '', ...args]: string[]): Promise<boolean> {
  return exec(command, args).then(
    () => true,
    () => false,
  );
}

async function idsOf(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => exec('id', [flag, name])));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch (error) {
    // `id` exits with 1 for a name nobody has.
    if (typeof (error as { code?: unknown }).code === 'number') return undefined;
    throw error;
  }
}

async function makeUser(name: string): Promise<{ uid: number; gid: number }> {
  try {
    await exec('useradd', ['--system', '--user-group', '--no-create-home', name]);
  } catch (cause) {
    throw new AppError('forbidden', 'PostgreSQL does not run as root, and no user could be made for it', {
      cause,
      hint: 'Run `mycloud up` as an ordinary user, or give it a database by DATABASE_URL.',
    });
  }
  const ids = await idsOf(name);
  if (!ids) throw new AppError('internal', `the user ${name} was made and is not there`);
  return ids;
}

/** @throws AppError when a folder above keeps the user out */
async function checkReach(target: string, ids: { uid: number; gid: number }): Promise<void> {
  await access(target, constants.F_OK);
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === ids.uid ? 0o100 : gid === ids.gid ? 0o010 : 0o001;
    if (!(mode & bit)) {
      throw new AppError('forbidden', `PostgreSQL does not run as root, and its user can't enter ${folder}`, {
        hint: `Run \`mycloud up\` as an ordinary user, or let others pass: chmod o+x ${folder}`,
      });
    }
    if (folder === path.dirname(folder)) return;
  }
}
