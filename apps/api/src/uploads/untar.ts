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
  const broken = new AbortController();
  const writer = new EntryWriter(dir, limits, broken.signal);
  const entries = extract();
  let writing: Promise<void> = Promise.resolve();
  entries.on('entry', (header, content, next) => {
    // What breaks the archive breaks its entry too; the first is told.
    content.on('error', () => undefined);
    writing = writer.write(header, content);
    writing.then(() => next(), next);
  });
  try {
    await pipeline(
      Readable.from(packed, { objectMode: false }),
      createGunzip(),
      atMost(limits.bytes + limits.entries * overheadBytes),
      entries,
      { signal },
    );
    await writer.makeLinks();
  } catch (error) {
    broken.abort();
    // Nothing is written any more once this has thrown: the folder can be removed.
    await writing.catch(() => undefined);
    throw told(error, signal);
  }
}

/** A stream of another implementation than Node's, which reads and pipes all the same. */
type Content = AsyncIterable<unknown> & { resume(): unknown };

class EntryWriter {
  private readonly folders = new Set<string>();
  private readonly links: { file: string; target: string }[] = [];
  private bytes = 0;
  private count = 0;

  constructor(
    private readonly dir: string,
    private readonly limits: UntarLimits,
    private readonly broken: AbortSignal,
  ) {}

  /** Done with an entry once its content is written, or let run by. */
  async write(header: Header, content: Content): Promise<void> {
    const name = cleanName(header.name);
    this.count += 1;
    if (this.count > this.limits.entries) {
      throw new AppError('too_large', `it holds more than ${this.limits.entries} files`);
    }
    if (name !== '' && isFile(header)) return this.writeFile(name, header, content);
    content.resume();
    if (name === '') return;
    if (header.type === 'directory') await this.folderAt(this.place(name));
    else if (header.type === 'symlink') {
      this.links.push({ file: await this.fresh(name), target: header.linkname ?? '' });
    } else if (header.type === 'link') {
      await linkTo(this.place(cleanName(header.linkname ?? '')), await this.fresh(name));
    } else throw new AppError('bad_request', `${quoted(name)} is a ${header.type}, which can't be stored`);
  }

  async makeLinks(): Promise<void> {
    for (const { file, target } of this.links) {
      await rm(file, { force: true });
      await symlink(target, file);
    }
  }

  private async writeFile(name: string, header: Header, content: Content): Promise<void> {
    this.bytes += header.size ?? 0;
    if (this.bytes > this.limits.bytes) {
      throw new AppError('too_large', `unpacked it has more than ${this.limits.bytes} bytes`, {
        hint: 'Upload it in parts, or ask an admin for a larger quota.',
      });
    }
    const mode = ((header.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755;
    const target = createWriteStream(await this.fresh(name), { flags: 'wx', mode });
    await pipeline(content, target, { signal: this.broken });
  }

  /** A place for an entry, in its folder; of two of the same name the later one counts. */
  private async fresh(name: string): Promise<string> {
    const file = this.place(name);
    await this.folderAt(path.dirname(file));
    await rm(file, { force: true });
    return file;
  }

  private async folderAt(folder: string): Promise<void> {
    if (!this.folders.has(folder)) await mkdir(folder, { recursive: true });
    this.folders.add(folder);
  }

  private place(name: string): string {
    const fault = pathFault(name);
    if (fault) throw new AppError('bad_request', `${quoted(name)}: ${fault}`);
    return path.join(this.dir, name);
  }
}

const isFile = ({ type }: Header): boolean => type === 'file' || type === 'contiguous-file';

/** tar writes `./a/b` and `./a/`. */
const cleanName = (name: string): string =>
  name
    .replace(/^(\.\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');

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
