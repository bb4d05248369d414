import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { AppError, type SignedRequest } from '@mycloud/shared';
import type { Checksum } from './checksum.js';
import { fillFile } from './fill-file.js';
import type { Store } from './store.js';

/** The directory store serves its signed URLs itself, through the api's /v1/store routes. */
export interface DirectoryStore extends Store {
  readonly kind: 'directory';
  /** @throws AppError forbidden for a signature that is wrong or too old */
  checkPut(
    key: string,
    signed: { expires: number; size: number; checksum: Checksum; signature: string },
  ): void;
  checkGet(key: string, signed: { expires: number; signature: string }): void;
  /** Writes what a signed PUT sends. @throws AppError bad_request when it is other bytes than were signed */
  receive(key: string, bytes: Readable, expected: { size: number; checksum: Checksum }): Promise<void>;
}

const keyPattern = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[a-z0-9._-]+(?:\/[a-z0-9._-]+)*$/;
/** Uploads that broke off are swept away after this long. */
const partialMaxAgeMs = 86_400_000;
const readBytes = 512 * 1024;

/** @param publicUrl what signed URLs begin with; without it they are relative to the api's address */
export async function openDirectoryStore(root: string, publicUrl?: string): Promise<DirectoryStore> {
  const objects = path.join(root, 'objects');
  const partial = path.join(root, 'partial');
  await mkdir(objects, { recursive: true });
  await mkdir(partial, { recursive: true });
  await sweepPartial(partial);
  /** Known to be there: they are never removed. */
  const folders = new Set<string>();
  const secret = await readSecret(path.join(root, 'secret'));

  const fileOf = (key: string): string => {
    if (!keyPattern.test(key) || key.length > 500)
      throw new AppError('bad_request', `"${key}" is no key of the store`);
    return path.join(objects, key);
  };
  const sign = (...parts: (string | number)[]): string =>
    createHmac('sha256', secret).update(parts.join('\n')).digest('hex');
  const check = (given: string, expected: string, expires: number): void => {
    const same =
      given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
    if (!same) throw new AppError('forbidden', 'the signature of this URL is wrong');
    if (expires < Date.now() / 1000)
      throw new AppError('forbidden', 'this URL has expired', { hint: 'Ask for a new one.' });
  };
  const urlOf = (key: string, query: Record<string, string | number>): string => {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return `${publicUrl?.replace(/\/+$/, '') ?? ''}/v1/store/${encodeURIComponent(key)}?${search}`;
  };
  const expiry = (seconds: number): number => Math.ceil(Date.now() / 1000 + seconds);

  /** Writes under a temporary name and moves it to its key once `fill` has written it all. */
  async function write(key: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    const target = fileOf(key);
    const temporary = path.join(partial, randomBytes(12).toString('hex'));
    const file = await open(temporary, 'wx');
    try {
      await fill(file);
      await file.sync();
      await file.close();
      if (!folders.has(path.dirname(target))) {
        await mkdir(path.dirname(target), { recursive: true });
        folders.add(path.dirname(target));
      }
      await rename(temporary, target);
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        throw new AppError('unavailable', "the store's disk is full", {
          cause: error,
          details: { reason: 'disk_full' },
        });
      }
      throw error;
    }
  }

  return {
    kind: 'directory',
    put: (key, bytes, size) =>
      write(key, (file) =>
        fillFile(file, bytes instanceof Uint8Array ? Readable.from([bytes]) : bytes, { size }),
      ),
    receive: (key, bytes, expected) => write(key, (file) => fillFile(file, bytes, expected)),
    async get(key, range) {
      // Opened before it is answered, so that a missing object is an error and not a broken stream.
      const file = await open(fileOf(key)).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') throw new AppError('not_found', `the store has no ${key}`, { cause });
        throw cause;
      });
      return createReadStream('', {
        fd: file,
        start: range?.start,
        end: range?.end,
        highWaterMark: readBytes,
      });
    },
    async stat(key) {
      const info = await stat(fileOf(key)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      return info && { size: info.size, checksum: undefined };
    },
    delete: (key) => rm(fileOf(key), { force: true }),
    async *list(prefix) {
      for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const full = path.join(entry.parentPath, entry.name);
        const key = path.relative(objects, full).split(path.sep).join('/');
        if (key.startsWith(prefix)) yield { key, size: (await stat(full)).size };
      }
    },
    async signPut(key, { size, checksum }, seconds): Promise<SignedRequest> {
      fileOf(key);
      const expires = expiry(seconds);
      const signature = sign('PUT', key, expires, size, checksum);
      const headers = { 'content-type': 'application/octet-stream' };
      return { method: 'PUT', url: urlOf(key, { expires, size, checksum, signature }), headers };
    },
    async signGet(key, seconds): Promise<SignedRequest> {
      fileOf(key);
      const expires = expiry(seconds);
      return {
        method: 'GET',
        url: urlOf(key, { expires, signature: sign('GET', key, expires) }),
        headers: {},
      };
    },
    checkPut: (key, { expires, size, checksum, signature }) =>
      check(signature, sign('PUT', key, expires, size, checksum), expires),
    checkGet: (key, { expires, signature }) => check(signature, sign('GET', key, expires), expires),
    async check() {
      try {
        const { bavail, bsize } = await statfs(objects);
        if (bavail * bsize < 16 * 1024 * 1024) throw new Error('less than 16 MiB are free');
        await writeFile(path.join(partial, 'check'), '');
      } catch (cause) {
        throw new AppError(
          'unavailable',
          `the store at ${root} can't take bytes: ${(cause as Error).message}`,
          { cause },
        );
      }
    },
  };
}

/** holds: the file is whole or not there, whoever starts first and whatever breaks off; an empty key would sign for anybody. */
async function readSecret(file: string): Promise<string> {
  const own = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, randomBytes(32).toString('hex'), { mode: 0o600 });
  try {
    await link(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own);
  }
  return readFile(file, 'utf8');
}

async function sweepPartial(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
      // Another api has just finished it.
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found && Date.now() - found.mtimeMs > partialMaxAgeMs) await rm(file, { force: true });
  }
}
