import type { Readable } from 'node:stream';
import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { one, transaction } from '../jobs/sql.js';
import type { UploadRow } from './uploads.js';

/** Bytes held in memory, and written as one object, at a time. */
const pieceBytes = 8 * 1024 * 1024;

/**
 * Takes bytes of an upload from `offset` on and answers how many have come in all. What came before a line broke counts.
 * With the last byte it waits to be unpacked.
 * @throws AppError conflict when the bytes before haven't come, or others came meanwhile; too_large past what was announced
 */
export async function receive(
  deps: Deps,
  upload: UploadRow,
  offset: number,
  body: Readable,
): Promise<number> {
  const { id, size } = upload;
  if (size === null) throw new AppError('conflict', 'the length of this upload was not announced');
  if (upload.state !== 'receiving' || offset !== upload.received) throw wrongOffset(upload.received, offset);
  let at = offset;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const flush = async () => {
    if (heldBytes === 0) return;
    const piece = Buffer.concat(held);
    [held, heldBytes] = [[], 0];
    await storePiece(deps, id, at, piece);
    at += piece.length;
  };
  try {
    for await (const bytes of body as AsyncIterable<Buffer>) {
      if (at + heldBytes + bytes.length > size) {
        throw new AppError('too_large', `more than the ${size} bytes announced were sent`);
      }
      held.push(bytes);
      heldBytes += bytes.length;
      if (heldBytes >= pieceBytes) await flush();
    }
  } catch (error) {
    // A line that broke; what our own refusals leave is not kept.
    if (!(error instanceof AppError)) await flush();
    throw error;
  }
  await flush();
  if (at === size) await complete(deps, id);
  return at;
}

const wrongOffset = (expected: number, offset: number): AppError =>
  new AppError('conflict', `${expected} bytes of this upload have come, so it can't go on at ${offset}`, {
    hint: 'Ask for its offset, and go on there.',
    details: { expected },
  });

/** holds: the pieces that count follow each other without a gap, whoever else sends the same ones at the same time. */
async function storePiece(deps: Deps, uploadId: string, offset: number, piece: Buffer): Promise<void> {
  // The row first: an object that no row names would stay for ever.
  const key = `uploads/${uploadId}/${newId()}`;
  await deps.pool.query('INSERT INTO "UploadPart" (key, "uploadId", "offset") VALUES ($1, $2, $3)', [
    key,
    uploadId,
    offset,
  ]);
  await deps.store.put(key, piece, piece.length);
  const counted = await transaction(deps.pool, async (sql) => {
    const next = await one(
      sql,
      `UPDATE "Upload" SET received = received + $3, "touchedAt" = now()
       WHERE id = $1 AND received = $2 AND state = 'receiving' RETURNING id`,
      [uploadId, offset, piece.length],
    );
    if (!next) return false;
    await sql.query('UPDATE "UploadPart" SET size = $2 WHERE key = $1', [key, piece.length]);
    return true;
  });
  if (counted) return;
  await deps.store.delete(key);
  await deps.pool.query('DELETE FROM "UploadPart" WHERE key = $1', [key]);
  throw new AppError('conflict', 'another program sends the same upload', {
    hint: 'Let one of them go on, or begin the upload anew.',
  });
}

async function complete(deps: Deps, id: string): Promise<void> {
  await deps.pool.query(
    `UPDATE "Upload" SET state = 'unpacking', "touchedAt" = now() WHERE id = $1 AND state = 'receiving' AND received = size`,
    [id],
  );
  await deps.hub.publish({ type: 'upload' });
}

/** The bytes of an upload from its first to its last, an object at a time. */
export async function* bytesOf(deps: Deps, uploadId: string): AsyncGenerator<Buffer> {
  const { rows } = await deps.pool.query<{ key: string }>(
    'SELECT key FROM "UploadPart" WHERE "uploadId" = $1 AND size > 0 ORDER BY "offset"',
    [uploadId],
  );
  for (const { key } of rows) yield* (await deps.store.get(key)) as AsyncIterable<Buffer>;
}
