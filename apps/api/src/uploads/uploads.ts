import { AppError } from '@mycloud/shared';
import type { DatasetRow } from '../datasets/view.js';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { refuseNul } from '../jobs/text.js';
import { requireRoom } from '../snapshots/quota.js';

/**
 * A tar.gz on its way to become a version of a dataset. Its pieces are objects of the store and its state is a row, so that
 * any api takes the next piece, and a restart of one costs nothing that has come.
 */
export interface UploadRow {
  id: string;
  userId: string;
  datasetId: string;
  /** Whose dataset it is: the bytes are stored for him. */
  ownerId: string;
  owner: string;
  dataset: string;
  public: boolean;
  /** Of the version it becomes. */
  number: number;
  message: string;
  /** null: not announced yet. */
  size: number | null;
  received: number;
  state: 'receiving' | 'unpacking' | 'done' | 'failed';
  /** Why it failed, in a sentence. */
  detail: string;
  createdAt: Date;
}

/** The columns of an UploadRow, of `"Upload" p`, `"Dataset" d` and `"User" u`. */
export const selectUploads = `SELECT p.id, p."userId", p."datasetId", d."ownerId", u.name AS owner, d.name AS dataset, d.public,
    p.number, p.message, p.size::float8 AS size, p.received::float8 AS received, p.state, p.detail, p."createdAt"
  FROM "Upload" p JOIN "Dataset" d ON d.id = p."datasetId" JOIN "User" u ON u.id = d."ownerId"`;

/** Begins an upload, for which the dataset's next number is kept. Numbers aren't used twice: one given up leaves a gap. */
export async function beginUpload(
  deps: Deps,
  caller: UserPrincipal,
  dataset: DatasetRow,
  message: string,
): Promise<UploadRow> {
  refuseNul({ description: message });
  const id = newId();
  await deps.pool.query(
    `WITH next AS (UPDATE "Dataset" SET "lastVersion" = "lastVersion" + 1 WHERE id = $3 RETURNING "lastVersion")
     INSERT INTO "Upload" (id, "userId", "datasetId", number, message) SELECT $1, $2, $3, "lastVersion", $4 FROM next`,
    [id, caller.userId, dataset.id, message],
  );
  return findUpload(deps, caller, id);
}

/** An upload of the caller's own; an admin's any. @throws AppError not_found */
export async function findUpload(deps: Deps, caller: UserPrincipal, id: string): Promise<UploadRow> {
  const row = await one<UploadRow>(
    deps.pool,
    `${selectUploads} WHERE p.id = $1 AND (p."userId" = $2 OR $3)`,
    [id, caller.userId, caller.role === 'admin'],
  );
  if (row) return row;
  throw new AppError('not_found', `there is no upload ${id}, or its time is over`, {
    hint: 'Begin it anew.',
  });
}

/** The uploads of a dataset that are no version yet, newest first. */
export async function uploadsOf(deps: Deps, datasetId: string): Promise<UploadRow[]> {
  const { rows } = await deps.pool.query<UploadRow>(
    `${selectUploads} WHERE p."datasetId" = $1 AND p.state <> 'done' ORDER BY p.number DESC LIMIT 100`,
    [datasetId],
  );
  return rows;
}

/**
 * Says how long an upload will be, before a byte of it comes.
 * @throws AppError quota_exceeded; conflict when it was announced otherwise
 */
export async function announceSize(deps: Deps, upload: UploadRow, size: number): Promise<void> {
  if (!Number.isSafeInteger(size) || size <= 0) {
    throw new AppError('bad_request', 'an upload has at least one byte', { hint: 'Send Upload-Length.' });
  }
  const coming = await one<{ bytes: number }>(
    deps.pool,
    `SELECT COALESCE(sum(p.size), 0)::float8 AS bytes FROM "Upload" p JOIN "Dataset" d ON d.id = p."datasetId"
     WHERE d."ownerId" = $1 AND p.id <> $2 AND p.state IN ('receiving', 'unpacking')`,
    [upload.ownerId, upload.id],
  );
  await requireRoom(deps, deps.pool, upload.ownerId, size + (coming?.bytes ?? 0), { announced: true });
  const { rowCount } = await deps.pool.query(
    `UPDATE "Upload" SET size = $2, "touchedAt" = now() WHERE id = $1 AND state = 'receiving' AND (size IS NULL OR size = $2)`,
    [upload.id, size],
  );
  if (!rowCount) {
    throw new AppError('conflict', 'this upload was begun with another length', { hint: 'Begin it anew.' });
  }
}

/** Gives an upload up; what has come of it is swept away. */
export async function giveUpUpload(deps: Deps, upload: UploadRow): Promise<void> {
  await deps.pool.query('DELETE FROM "Upload" WHERE id = $1', [upload.id]);
}
