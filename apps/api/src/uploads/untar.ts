import { createWriteStream } from 'node:fs';
import { link, lstat, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import { pathFault, quoted } from '@mycloud/snapshots';
import { extract, type Header } from 'tar-stream';

export interface UntarLimits {
  /** Of all files together, unpacked. */
  bytes: number;
  entries: number;
}

/** What an entry takes beside its bytes: its header, one for a long name, and padding. */
const overheadBytes = 4096;

/**
 * Unpacks a tar.gz that anybody may have made into an empty folder. Nothing is written through a symbolic link: links are
 * made when all files are there, and whether they leave the folder is for whoever reads it then.
 * @throws AppError bad_request for what is no tar.gz, names that leave the folder and entries that are neither file nor
 *   folder nor link; too_large past a limit
 */
export async function untar(
  packed: AsyncIterable<Uint8Array>,
  dir: string,
  limits: UntarLimits,
  signal?: AbortSignal,
): Promise<void> {
  const entries = extract();
  const unpacked = pipeline(
    Readable.from(packed, { objectMode: false }),
    createGunzip(),
    atMost(limits.bytes + limits.entries * overheadBytes),
    entries,
    { signal },
  );
  const written = writeAll(entries, dir, limits);
  try {
    await Promise.all([unpacked, written]);
  } catch (error) {
    entries.destroy();
    // Nothing is written any more once this has thrown: the folder can be removed.
    await Promise.allSettled([unpacked, written]);
    throw told(error, signal);
  }
}

async function writeAll(
  entries: ReturnType<typeof extract>,
  dir: string,
  limits: UntarLimits,
): Promise<void> {
  const folders = new Set<string>();
  const links: { file: string; target: string }[] = [];
  let left = limits.bytes;
  let count = 0;
  for await (const entry of entries) {
    const { header } = entry;
    const name = cleanName(header.name);
    count += 1;
    if (count > limits.entries) throw new AppError('too_large', `it holds more than ${limits.entries} files`);
    if (name === '') {
      entry.resume();
      continue;
    }
    const file = path.join(dir, checked(name));
    const parent = header.type === 'directory' ? file : path.dirname(file);
    if (!folders.has(parent)) await mkdir(parent, { recursive: true });
    folders.add(parent);
    if (header.type === 'symlink') links.push({ file, target: header.linkname ?? '' });
    else if (header.type === 'link')
      await linkTo(path.join(dir, checked(cleanName(header.linkname ?? ''))), file);
    else if (isFile(header)) {
      left -= header.size ?? 0;
      if (left < 0) {
        throw new AppError('too_large', `unpacked it has more than ${limits.bytes} bytes`, {
          hint: 'Upload it in parts, or ask an admin for a larger quota.',
        });
      }
      await rm(file, { force: true });
      const mode = ((header.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755;
      await pipeline(entry, createWriteStream(file, { flags: 'wx', mode }));
      continue;
    } else if (header.type !== 'directory') {
      throw new AppError('bad_request', `${quoted(name)} is a ${header.type}, which can't be stored`);
    }
    entry.resume();
  }
  for (const { file, target } of links) {
    await rm(file, { force: true });
    await symlink(target, file);
  }
}

const isFile = ({ type }: Header): boolean => type === 'file' || type === 'contiguous-file';

/** tar writes `./a/b` and `./a/`. */
const cleanName = (name: string): string =>
  name
    .replace(/^(\.\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');

function checked(name: string): string {
  const fault = pathFault(name);
  if (fault) throw new AppError('bad_request', `${quoted(name)}: ${fault}`);
  return name;
}

/** A second name of a file that the archive held before. */
async function linkTo(known: string, file: string): Promise<void> {
  const info = await lstat(known).catch(() => undefined);
  if (!info?.isFile()) {
    throw new AppError('bad_request', `${quoted(path.basename(file))} is a link to a file that isn't there`);
  }
  await rm(file, { force: true });
  await link(known, file);
}

/** Guards against an archive of nothing but headers, or that never ends. */
function atMost(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      left -= piece.length;
      if (left < 0) done(new AppError('too_large', 'unpacked it is far larger than what was sent'));
      else done(null, piece);
    },
  });
}

function told(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted || error instanceof AppError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (['EEXIST', 'ENOTDIR', 'EISDIR', 'ERR_FS_EISDIR'].includes(code)) {
    return new AppError('bad_request', 'it holds a file and a folder of the same name', { cause: error });
  }
  if (code === 'ENOSPC') {
    return new AppError('unavailable', "the server's disk is full", {
      cause: error,
      details: { reason: 'disk_full' },
    });
  }
  // Of zlib, or of tar-stream, whose errors have no code; others are of the system or the store.
  if (code !== '' && !code.startsWith('Z_')) return error;
  return new AppError('bad_request', `it is no whole tar.gz (${message})`, { cause: error });
}
