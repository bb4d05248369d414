import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import { z } from 'zod';

/*
 * A folder of backups:
 *   objects/KEY                what lies in the store, each object once, whichever backups name it
 *   backups/TIME/backup.json   one backup: written last, so that a folder with it is whole
 *   backups/TIME/objects.gz    a line of JSON for each object it names
 *   backups/TIME/TABLE.gz      the rows of a table, as COPY writes them
 */

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** An object of the store, by what its bytes must be. */
const objectSchema = z.object({
  key: z.string(),
  size: z.number().int().nonnegative(),
  sha256: sha256Schema,
});
export type BackupObject = z.infer<typeof objectSchema>;

const backupSchema = z.object({
  format: z.literal(1),
  /** The moment whose state it is. */
  createdAt: z.iso.datetime(),
  /** Of mycloud. */
  version: z.string(),
  /** The name of the server's first user, where it was embedded. */
  user: z.string().nullable(),
  /** Names of the migrations that had made the tables. */
  migrations: z.array(z.string()),
  /** In an order in which rows come after those they refer to. `bytes` and `sha256` are of the packed file. */
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.number().int(),
      bytes: z.number().int(),
      sha256: sha256Schema,
    }),
  ),
  sequences: z.array(z.object({ name: z.string(), value: z.string() })),
  objects: z.object({ count: z.number().int(), bytes: z.number().int(), sha256: sha256Schema }),
});
export type Backup = z.infer<typeof backupSchema>;

export const objectFile = (dir: string, key: string): string => path.join(dir, 'objects', key);
export const backupsFolder = (dir: string): string => path.join(dir, 'backups');
export const descriptionFile = (folder: string): string => path.join(folder, 'backup.json');
export const listFile = (folder: string): string => path.join(folder, 'objects.gz');
export const tableFile = (folder: string, table: string): string => path.join(folder, `${table}.gz`);

/** Names of the whole backups of a folder, the oldest first: they are times. */
export async function backupNames(dir: string): Promise<string[]> {
  const entries = await readdir(backupsFolder(dir), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isDirectory() && /^\d{4}-/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** @throws AppError not_found, bad_request for one that is damaged or of a later format */
export async function readBackup(folder: string): Promise<Backup> {
  const file = descriptionFile(folder);
  try {
    return backupSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new AppError('not_found', `there is no backup in ${folder}`, { cause });
    }
    throw new AppError('bad_request', `${file} is damaged, or of a later release`, {
      cause,
      hint: 'Choose another backup of the folder by --from.',
    });
  }
}

/** The objects that a backup names. */
export async function readObjects(folder: string): Promise<BackupObject[]> {
  const objects: BackupObject[] = [];
  for await (const object of readList(folder)) objects.push(object);
  return objects;
}

async function* readList(folder: string): AsyncGenerator<BackupObject> {
  const input = createReadStream(listFile(folder)).pipe(createGunzip());
  for await (const line of createInterface({ input })) yield objectSchema.parse(JSON.parse(line));
}
