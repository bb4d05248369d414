import { AppError } from '@mycloud/shared';
import { hint } from '../output.js';
import { type HomeLock, lockHome } from '../up/lock.js';
import { preparePostgres, runningDatabaseUrl } from '../up/postgres.js';
import { RunningPrograms } from '../up/running-programs.js';
import { openSecrets } from '../up/secrets.js';

/** A database that answers, and what names it and the store beside it to a program. */
interface Reached {
  env: Record<string, string | undefined>;
  /** The first user of an embedded server. */
  user: string | undefined;
}

/**
 * Does something with a server's database: the one that DATABASE_URL names; that of a home, where its server runs; or else the
 * home's own, started for as long as it takes (and made, in an empty one).
 * @param user the first user's name in a home that has no secrets yet
 */
export async function withDatabase<T>(
  home: string,
  user: string | undefined,
  work: (reached: Reached) => Promise<T>,
): Promise<T> {
  const env = { ...process.env, MYCLOUD_HOME: home };
  if (process.env.DATABASE_URL) return work({ env, user: undefined });
  const lock = await lockUnlessServing(home);
  const secrets = await openSecrets(home, user);
  if (!lock)
    return work({
      env: { ...env, DATABASE_URL: await runningDatabaseUrl(home, secrets) },
      user: secrets.user,
    });
  const running = new RunningPrograms(home, '', lock);
  try {
    const postgres = await preparePostgres(home, secrets, hint);
    await running.start(postgres.program, new AbortController().signal);
    return await work({ env: { ...env, DATABASE_URL: postgres.url }, user: secrets.user });
  } finally {
    await running.stop();
    await lock.release();
  }
}

/** undefined: a server runs there. */
async function lockUnlessServing(home: string): Promise<HomeLock | undefined> {
  try {
    return await lockHome(home);
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return undefined;
    throw error;
  }
}
