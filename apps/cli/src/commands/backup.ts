import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { withDatabase } from '../backup/database.js';
import { runBackupProgram } from '../backup/program.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText } from '../text.js';
import { makeHome } from '../up/home.js';
import { homeFolder } from '../up/up.js';
import { usage } from '../usage.js';

interface RestoreReport {
  name: string;
  createdAt: string;
  rows: number;
  objects: number;
  bytes: number;
}

interface BackupReport extends RestoreReport {
  newObjects: number;
  newBytes: number;
  removed: string[];
}

const everything = ({ rows, objects, bytes }: RestoreReport): string =>
  `${countText(rows, 'row')} and ${countText(objects, 'object')} of ${bytesText(bytes)}`;

/** Backs up a home's server, running or not, or what DATABASE_URL and S3_* name. */
export async function adminBackup(
  dir: string,
  options: { home?: string; keep?: string; verify?: boolean; json?: boolean },
): Promise<void> {
  const { keep, verify, json } = options;
  if (keep !== undefined && !/^[1-9]\d{0,4}$/.test(keep))
    throw usage(`--keep ${keep}: write how many backups the folder keeps, at least 1`);
  const home = homeFolder(options.home);
  const target = path.resolve(dir);
  if (!process.env.DATABASE_URL) await requireServerIn(home);
  const flags = [...(keep ? ['--keep', keep] : []), ...(verify ? ['--verify'] : [])];
  const report = await withDatabase(home, undefined, ({ env, user }) =>
    runBackupProgram<BackupReport>(
      ['backup', target, ...flags, ...(user === undefined ? [] : ['--user', user])],
      env,
    ),
  );
  if (json) return printJson({ dir: target, ...report });
  print(`Backup ${report.name}: ${everything(report)}; ${bytesText(report.newBytes)} were new.`);
  if (report.removed.length > 0) hint(`Kept no longer: ${report.removed.join(', ')}`);
  hint(`It holds everybody's files and the hashes of their passwords: keep ${target} as safe as the server.`);
  hint(`To bring it back, here or elsewhere: mycloud admin restore ${dir} --home EMPTY-FOLDER`);
}

/** Brings a backup into an empty home, or into the empty database and the store that DATABASE_URL and S3_* name. */
export async function adminRestore(
  dir: string,
  options: { home?: string; from?: string; json?: boolean },
): Promise<void> {
  const { from, json } = options;
  const home = homeFolder(options.home);
  const embedded = !process.env.DATABASE_URL;
  const args = [path.resolve(dir), ...(from ? ['--from', from] : [])];
  // Looked at before anything is made in the home.
  const { user } = await runBackupProgram<{ user: string | null }>(['describe', ...args], process.env);
  if (embedded) await requireEmpty(home);
  await makeHome(home);
  const report = await withDatabase(home, user ?? undefined, ({ env }) =>
    runBackupProgram<RestoreReport>(['restore', ...args], env),
  );
  if (json) return printJson({ home: embedded ? home : null, ...report });
  print(`Restored ${everything(report)}, as they were at ${report.createdAt}.`);
  hint(
    'Jobs that ran then are tried again. Whoever was logged in still is, where the address stays the same.',
  );
  hint(embedded ? `Start it: mycloud up --home ${home}` : 'Start the apis and the workers now.');
}

async function requireServerIn(home: string): Promise<void> {
  await access(path.join(home, 'secrets.json')).catch((cause: unknown) => {
    throw new AppError('not_found', `no server has its data in ${home}`, {
      cause,
      hint: 'Name its folder by --home; for a cluster set DATABASE_URL and S3_* as for the api.',
    });
  });
}

async function requireEmpty(home: string): Promise<void> {
  const names = await readdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return;
  throw new AppError('conflict', `${home} is not empty: it has ${names.slice(0, 3).join(', ')}`, {
    hint: 'A backup is restored into an empty folder: name another by --home.',
  });
}
