import { parseArgs } from 'node:util';
import { AppError, toProblem } from '@mycloud/shared';
import { pino } from 'pino';
import { readConfig } from '../config.js';
import { openPool, waitForDatabase } from '../database/client.js';
import { databaseAway, isDatabaseAway } from '../database/faults.js';
import { openStore } from '../store/open-store.js';
import { backUp } from './backup.js';
import { readBackup } from './format.js';
import { chooseBackup, restore } from './restore.js';

/*
 * The program behind `mycloud admin backup` and `restore`: backs up or restores what the environment names, as it does for the api
 * (DATABASE_URL, S3_*, MYCLOUD_HOME). A line of JSON each on stdout: `progress`, then `result` or `error`.
 */

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** Progress is told ten times a second at most, but each new `what`. */
function teller() {
  let last = { what: '', at: 0 };
  return (what: string, done: number, total: number): void => {
    const now = Date.now();
    if (what === last.what && done < total && now - last.at < 100) return;
    last = { what, at: now };
    say({ progress: { what, done, total } });
  };
}

async function main(): Promise<unknown> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      keep: { type: 'string' },
      verify: { type: 'boolean', default: false },
      from: { type: 'string' },
    },
  });
  const [what, dir] = positionals;
  if ((what !== 'backup' && what !== 'restore' && what !== 'describe') || dir === undefined)
    throw new AppError('bad_request', 'say `backup DIR`, `restore DIR` or `describe DIR`');
  if (what === 'describe') return readBackup(await chooseBackup(dir, values.from));
  const config = readConfig(process.env);
  // Whatever breaks fails the query that it breaks: there is nothing to log.
  const pool = openPool(
    { connectionString: config.databaseUrl, max: 2 },
    pino({ level: 'silent' }),
    'a database connection broke',
  );
  try {
    await waitForDatabase(pool, 10);
    const store = await openStore(config);
    const tell = teller();
    if (what === 'restore') return await restore(pool, store, { dir, from: values.from, tell });
    const keep = values.keep === undefined ? undefined : Number(values.keep);
    return await backUp(pool, store, { dir, keep, user: values.user ?? null, verify: values.verify, tell });
  } finally {
    await pool.end();
  }
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseAway(error)) return databaseAway(error);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') {
    return new AppError('unavailable', 'the disk is full', {
      cause: error,
      hint: 'Make room, then run it again: what was copied stays.',
    });
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR')
    return new AppError('forbidden', message, {
      cause: error,
      hint: 'Choose another folder, or mend its permissions.',
    });
  return new AppError('internal', message, { cause: error });
}

try {
  say({ result: await main() });
} catch (error) {
  say({ error: toProblem(asAppError(error)) });
  process.exitCode = 1;
}
