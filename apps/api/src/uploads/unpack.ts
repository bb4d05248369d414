import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError, datasetName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one, transaction } from '../jobs/sql.js';
import { quotaOf } from '../snapshots/quota.js';
import { storeFolder } from '../snapshots/store-folder.js';
import { bytesOf } from './receive.js';
import { sweepUploads } from './sweep.js';
import { type UntarLimits, untar } from './untar.js';
import { selectUploads, type UploadRow } from './uploads.js';

/** An api that unpacks says so this often; one that hasn't for as long as three times that is taken for dead. */
const renewMs = 10_000;
const claimSeconds = 30;
/** One that ended three apis isn't given to a fourth. */
const maxTries = 3;
/** A tar.gz of real files grows twentyfold at most, of empty ones or of zeros a thousandfold. */
const maxRatio = 200;
const alwaysBytes = 1024 ** 3;
const maxEntries = 1_000_000;

/** What the client keeps for itself in the folder it uploads: it differs at each upload, and is no data. */
const ownFile = '.floyddata';

/**
 * Unpacks one upload that has come whole, and makes it a version. Of many apis one does it.
 * @param folder on this machine's disk. @returns whether there was one
 */
export async function unpackNext(deps: Deps, folder: string, signal?: AbortSignal): Promise<boolean> {
  const upload = await claim(deps);
  if (!upload) return false;
  const renewing = setInterval(() => {
    renew(deps, upload.id).catch((error: unknown) => deps.log.warn({ err: error }, 'a claim of an upload'));
  }, renewMs);
  const dir = await mkdtemp(path.join(folder, 'unpack-'));
  try {
    await untar(bytesOf(deps, upload.id), dir, await limitsOf(deps, upload), signal);
    await rm(path.join(dir, ownFile), { force: true });
    const { snapshotId } = await storeFolder(deps, upload.ownerId, dir, signal);
    await finish(deps, upload, snapshotId);
    deps.log.info({ upload: upload.id, bytes: upload.size }, 'an upload became a version');
  } catch (error) {
    if (signal?.aborted) await giveBack(deps, upload.id);
    else await fail(deps, upload, error);
  } finally {
    clearInterval(renewing);
    await rm(dir, { recursive: true, force: true });
  }
  await sweepUploads(deps);
  return true;
}

type Claimed = UploadRow & { tries: number };

async function claim(deps: Deps): Promise<Claimed | undefined> {
  await deps.pool.query(
    `UPDATE "Upload" SET state = 'failed', detail = $2, "claimedUntil" = NULL, "touchedAt" = now()
     WHERE state = 'unpacking' AND tries >= $1 AND "claimedUntil" < now()`,
    [maxTries, `It could not be unpacked: the server ended ${maxTries} times while it was at it.`],
  );
  const claimed = await one<{ id: string; tries: number }>(
    deps.pool,
    `UPDATE "Upload" u SET "claimedUntil" = now() + make_interval(secs => $1), tries = tries + 1, "touchedAt" = now()
     FROM (SELECT id FROM "Upload" WHERE state = 'unpacking' AND ("claimedUntil" IS NULL OR "claimedUntil" < now())
           ORDER BY "createdAt" LIMIT 1 FOR UPDATE SKIP LOCKED) next
     WHERE u.id = next.id RETURNING u.id, u.tries`,
    [claimSeconds],
  );
  const row = claimed && (await one<UploadRow>(deps.pool, `${selectUploads} WHERE p.id = $1`, [claimed.id]));
  return row && { ...row, tries: claimed.tries };
}

async function renew(deps: Deps, id: string): Promise<void> {
  await deps.pool.query(
    `UPDATE "Upload" SET "claimedUntil" = now() + make_interval(secs => $2) WHERE id = $1 AND state = 'unpacking'`,
    [id, claimSeconds],
  );
}

/** Unpacked it takes room on this disk, whatever of it is stored already: the quota bounds that too. */
async function limitsOf(deps: Deps, { ownerId, size }: UploadRow): Promise<UntarLimits> {
  const quota = (await quotaOf(deps, deps.pool, ownerId)) ?? Number.POSITIVE_INFINITY;
  return { bytes: Math.min(quota, Math.max(alwaysBytes, (size ?? 0) * maxRatio)), entries: maxEntries };
}

async function finish(deps: Deps, { id, datasetId, number, message }: UploadRow, snapshotId: string) {
  await transaction(deps.pool, async (sql) => {
    const { rowCount } = await sql.query(
      `UPDATE "Upload" SET state = 'done', "claimedUntil" = NULL, "touchedAt" = now() WHERE id = $1 AND state = 'unpacking'`,
      [id],
    );
    // Given up meanwhile, or another api was faster.
    if (!rowCount) return;
    await sql.query(
      'INSERT INTO "DatasetVersion" (id, "datasetId", number, message, "snapshotId") VALUES ($1, $2, $3, $4, $5)',
      [newId(), datasetId, number, message, snapshotId],
    );
  });
}

/** The api ends in the middle of it: the next one begins it anew, and that counts as no try. */
async function giveBack(deps: Deps, id: string): Promise<void> {
  await deps.pool.query(
    `UPDATE "Upload" SET "claimedUntil" = NULL, tries = tries - 1 WHERE id = $1 AND state = 'unpacking'`,
    [id],
  );
}

async function fail(deps: Deps, upload: Claimed, error: unknown): Promise<void> {
  const passing = !(error instanceof AppError) || error.code === 'unavailable' || error.code === 'internal';
  deps.log.warn({ err: error, upload: upload.id, tries: upload.tries }, 'an upload could not be unpacked');
  if (passing && upload.tries < maxTries) {
    // Its claim runs out, and it is tried again.
    return;
  }
  const { owner, dataset, number } = upload;
  const why = error instanceof AppError ? error.message : 'something went wrong in the server';
  const hint = error instanceof AppError && error.hint ? ` ${error.hint}` : '';
  const detail = `${datasetName(owner, dataset, number)} could not be unpacked: ${why}.${hint}`;
  await deps.pool.query(
    `UPDATE "Upload" SET state = 'failed', detail = $2, "claimedUntil" = NULL, "touchedAt" = now()
     WHERE id = $1 AND state = 'unpacking'`,
    [upload.id, detail],
  );
}
