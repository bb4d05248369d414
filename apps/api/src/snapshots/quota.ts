import { AppError, type Storage } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { one, type Sql } from '../jobs/sql.js';

/** How long the URL of an announced pack is good, and its bytes count as on their way. */
export const uploadSeconds = 3600;

/** How many bytes the owner may store; null: any number. */
export async function quotaOf(deps: Deps, sql: Sql, ownerId: string, lock = false): Promise<number | null> {
  const row = await one<{ quotaBytes: string | null }>(
    sql,
    `SELECT "quotaBytes" FROM "User" WHERE id = $1 ${lock ? 'FOR NO KEY UPDATE' : ''}`,
    [ownerId],
  );
  return row?.quotaBytes != null ? Number(row.quotaBytes) : deps.config.quotaBytes;
}

/** Bytes of the owner's packs. @param announced also of those that are being sent */
async function storedBytes(sql: Sql, ownerId: string, announced: boolean): Promise<number> {
  const row = await one<{ bytes: string }>(
    sql,
    `SELECT COALESCE(sum(size), 0) AS bytes FROM "Pack" WHERE "ownerId" = $1
       AND (committed OR ($2 AND "createdAt" > now() - make_interval(secs => $3)))`,
    [ownerId, announced, uploadSeconds],
  );
  return Number(row?.bytes ?? 0);
}

/** What an owner, a user or a team, stores and may store. */
export async function storageOf(deps: Deps, ownerId: string): Promise<Storage> {
  const logical = await one<{ bytes: string }>(
    deps.pool,
    'SELECT COALESCE(sum(bytes), 0) AS bytes FROM "Snapshot" WHERE "ownerId" = $1',
    [ownerId],
  );
  return {
    logicalBytes: Number(logical?.bytes ?? 0),
    storedBytes: await storedBytes(deps.pool, ownerId, false),
    quotaBytes: await quotaOf(deps, deps.pool, ownerId),
  };
}

/**
 * Holds: what an owner has committed never exceeds the quota. Asked when a pack is announced, before a byte of it is
 * sent, with all that is on its way; and again in the transaction that commits it, one commit of an owner at a time.
 * @param more bytes not counted yet
 * @throws AppError quota_exceeded
 */
export async function requireRoom(
  deps: Deps,
  sql: Sql,
  ownerId: string,
  more: number,
  { announced }: { announced: boolean },
): Promise<void> {
  const quota = await quotaOf(deps, sql, ownerId, !announced);
  if (quota === null) return;
  const used = await storedBytes(sql, ownerId, announced);
  if (used + more <= quota) return;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  throw new AppError(
    'quota_exceeded',
    `your quota is ${mb(quota)}; with this upload you would store ${mb(used + more)}`,
    {
      hint: 'Delete datasets or jobs you no longer need (their bytes are freed after a while), or ask an admin for more.',
      details: { quotaBytes: quota, usedBytes: used },
    },
  );
}
