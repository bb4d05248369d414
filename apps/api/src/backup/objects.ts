import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { eachLimit } from '@mycloud/snapshots';
import type pg from 'pg';
import { type Checksum, openSum } from '../store/checksum.js';
import type { Store } from '../store/store.js';
import { type Sum, sumOf, sumOfFile, writeWhole } from './checked-stream.js';
import { damaged } from './database.js';
import { type BackupObject, objectFile } from './format.js';

/** Objects copied at the same time. */
const concurrency = 4;

/** An object that a row refers to. Of a pack it is known beforehand what it must be. */
interface Referred {
  key: string;
  size: number | null;
  checksum: Checksum | null;
}

/** Every object of the store that the database refers to. An object is written before the row that names it is committed. */
export async function referredObjects(sql: pg.PoolClient): Promise<Referred[]> {
  const { rows } = await sql.query<Referred>(
    `SELECT key, size, checksum FROM "Pack" WHERE committed
     UNION ALL SELECT "manifestKey", NULL, NULL FROM "Snapshot"
     UNION ALL SELECT "logKey", NULL, NULL FROM "Attempt" WHERE "logKey" IS NOT NULL
     UNION ALL SELECT key, size, NULL FROM "UploadPart" WHERE size > 0`,
  );
  return rows;
}

export interface Copied {
  objects: BackupObject[];
  /** Keys whose objects were deleted since the database was read, with the rows that named them. */
  gone: string[];
  newObjects: number;
  newBytes: number;
}

/**
 * Copies what is new. Objects never change, so one that an earlier backup has is not read again.
 * @param known what earlier backups have, by key
 */
export async function copyObjects(
  store: Store,
  dir: string,
  referred: readonly Referred[],
  known: ReadonlyMap<string, BackupObject>,
  tell: (done: number, total: number) => void,
): Promise<Copied> {
  const copied: Copied = { objects: [], gone: [], newObjects: 0, newBytes: 0 };
  let done = 0;
  await parallel(referred, async (object) => {
    const before = known.get(object.key);
    const file = objectFile(dir, object.key);
    const there = before && (await sizeOf(file)) === before.size ? before : await takeUp(file, object);
    if (there) copied.objects.push({ ...there, key: object.key });
    else {
      const sum = await copyObject(store, file, object);
      if (sum) {
        copied.objects.push({ key: object.key, size: sum.bytes, sha256: sum.sha256 });
        copied.newObjects += 1;
        copied.newBytes += sum.bytes;
      } else copied.gone.push(object.key);
    }
    done += 1;
    tell(done, referred.length);
  });
  copied.objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  return copied;
}

/** A pack that a backup which broke off has copied already, if it is whole. */
async function takeUp(file: string, { size, checksum }: Referred) {
  if (checksum === null || (await sizeOf(file)) !== size) return undefined;
  const expected = openSum(checksum);
  const read = createReadStream(file).on('data', (part) => expected.update(part as Buffer));
  const { bytes, sha256 } = await sumOf(read);
  return expected.matches() ? { size: bytes, sha256 } : undefined;
}

/** @returns undefined when it is not there any more @throws AppError internal when it is not what it was */
async function copyObject(
  store: Store,
  file: string,
  { key, size, checksum }: Referred,
): Promise<Sum | undefined> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const bytes = await store.get(key).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
  if (!bytes) return undefined;
  const expected = checksum === null ? undefined : openSum(checksum);
  if (expected) bytes.on('data', (part: Buffer) => expected.update(part));
  const sum = await writeWhole(file, bytes);
  if ((size !== null && sum.bytes !== size) || (expected && !expected.matches())) {
    throw new AppError('internal', `${key} in the store is damaged: it is not what was stored`, {
      hint: 'The backup was given up. What is stored in it can be found by its owner alone: delete that, or mend the disk.',
    });
  }
  return sum;
}

/**
 * Puts the objects of a backup into a store, each checked before. What lies there already, and is the same, stays.
 * @throws AppError bad_request for one that is damaged
 */
export async function putObjects(
  store: Store,
  dir: string,
  objects: readonly BackupObject[],
  tell: (done: number, total: number) => void,
): Promise<void> {
  let done = 0;
  await parallel(objects, async (object) => {
    const { key, size, sha256 } = object;
    const file = objectFile(dir, key);
    const there = await store.stat(key);
    if (there?.size !== size || (await sumOf(await store.get(key))).sha256 !== sha256) {
      await checkObject(dir, object);
      await store.put(key, createReadStream(file), size);
    }
    done += 1;
    tell(done, objects.length);
  });
}

/** @throws AppError bad_request for an object of the backup that is missing or damaged */
export async function checkObject(dir: string, { key, size, sha256 }: BackupObject): Promise<void> {
  const file = objectFile(dir, key);
  if ((await sizeOf(file)) !== size || (await sumOfFile(file)).sha256 !== sha256) throw damaged(file);
}

/** undefined: there is none. */
async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found?.size;
}

/** Works on all of them, several at a time. */
export const parallel = <T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> =>
  eachLimit(all, concurrency, work);
