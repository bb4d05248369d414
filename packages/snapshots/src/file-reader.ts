import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { Cutter, maxChunkBytes, wholeBytes } from './cutter.js';
import { type FileStamp, stampOf } from './stamp.js';

/** A file to be read. */
export interface ToRead {
  absolute: string;
  /** Where its bytes must lie once links are followed; only for folders that are written to meanwhile. */
  expected?: string;
}

/** A chunk and where its bytes are in the slab. */
export interface SlabChunk {
  hash: string;
  offset: number;
  size: number;
}

interface ReadFault {
  code: 'conflict' | 'bad_request';
  reason: string;
}

/** How a file ended: read unchanged, changed meanwhile, or not to be read. */
export type FileEnd = { stamp: FileStamp } | { changed: true } | { fault: ReadFault };

/** A stretch of a file that lies in one slab. */
interface Piece {
  /** Its place in what was to be read. */
  file: number;
  chunks: SlabChunk[];
  /** Absent while more of it comes in the next slab. */
  end?: FileEnd;
}

export interface Filled {
  pieces: Piece[];
  /** Every file has ended. */
  done: boolean;
}

/** A file swapped since the scan for a link is not followed, for a pipe not waited for. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

interface OpenFile {
  fd: number;
  before: FileStamp;
  position: number;
}

/**
 * Reads files one after the other into slabs, cutting and naming chunks as they come. A chunk lies in one slab whole;
 * what a slab has no room for is begun again in the next. Calls block: it runs in a thread, or a slab at a time.
 */
export class FileReader {
  private readonly cutter = new Cutter();
  private readonly carried = Buffer.allocUnsafeSlow(maxChunkBytes);
  private carriedBytes = 0;
  private next = 0;
  private open: OpenFile | undefined;

  constructor(private readonly files: readonly ToRead[]) {}

  /** @param slab at least as long as the longest chunk */
  fill(slab: Buffer): Filled {
    const pieces: Piece[] = [];
    let used = 0;
    while (this.open || this.next < this.files.length) {
      const file = this.open ? this.next - 1 : this.next++;
      const chunks: SlabChunk[] = [];
      try {
        this.open ??= openFile(this.files[file]!);
        const small = this.open.before.size <= wholeBytes;
        if (small && used + this.open.before.size > slab.length) return { pieces, done: false };
        const rest = slab.subarray(used);
        const ended = small ? this.readWhole(rest, chunks) : this.readOn(rest, chunks);
        for (const chunk of chunks) chunk.offset += used;
        used = chunks.reduce((end, chunk) => Math.max(end, chunk.offset + chunk.size), used);
        if (!ended) {
          pieces.push({ file, chunks });
          return { pieces, done: false };
        }
        pieces.push({ file, chunks, end: this.endOf(this.open) });
      } catch (error) {
        const fault = faultOf(error);
        if (!fault) throw error;
        pieces.push({ file, chunks, end: { fault } });
      }
      this.close();
    }
    return { pieces, done: true };
  }

  /** Lets go of a file that was not read to its end. */
  close(): void {
    if (this.open) closeSync(this.open.fd);
    this.open = undefined;
    this.carriedBytes = 0;
    this.cutter.reset();
  }

  private readWhole(into: Buffer, chunks: SlabChunk[]): true {
    const file = this.open!;
    const bytes = into.subarray(0, readFully(file.fd, into.subarray(0, file.before.size), 0));
    file.position = bytes.length;
    if (bytes.length > 0) chunks.push(named(bytes, 0));
    return true;
  }

  /** @returns whether the file has ended */
  private readOn(into: Buffer, chunks: SlabChunk[]): boolean {
    const file = this.open!;
    if (into.length <= this.carriedBytes) return false;
    this.carried.copy(into, 0, 0, this.carriedBytes);
    const wanted = Math.min(into.length - this.carriedBytes, file.before.size - file.position);
    const target = into.subarray(this.carriedBytes, this.carriedBytes + wanted);
    const got = readFully(file.fd, target, file.position);
    file.position += got;
    const ended = got < wanted || file.position === file.before.size;
    const bytes = into.subarray(0, this.carriedBytes + got);
    let start = 0;
    while (start < bytes.length) {
      const length = this.cutter.next(bytes.subarray(start), ended);
      if (length === 0) break;
      chunks.push(named(bytes.subarray(start, start + length), start));
      start += length;
    }
    this.carriedBytes = bytes.copy(this.carried, 0, start);
    return ended;
  }

  private endOf({ fd, before, position }: OpenFile): FileEnd {
    const after = stampOf(fstatSync(fd, { bigint: true }));
    const same =
      position === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
    return same ? { stamp: after } : { changed: true };
  }
}

function openFile({ absolute, expected }: ToRead): OpenFile {
  const fd = openSync(absolute, readFlags);
  const stat = fstatSync(fd, { bigint: true });
  // A job that still runs may turn a folder of its output into a link to somewhere it can't read itself; only Linux can tell.
  const elsewhere =
    expected !== undefined &&
    process.platform === 'linux' &&
    readlinkSync(`/proc/self/fd/${fd}`) !== expected;
  if (!stat.isFile() || elsewhere) {
    closeSync(fd);
    throw new SwappedError();
  }
  return { fd, before: stampOf(stat), position: 0 };
}

class SwappedError extends Error {}

const named = (bytes: Buffer, offset: number): SlabChunk => ({
  hash: createHash('sha256').update(bytes).digest('hex'),
  offset,
  size: bytes.length,
});

/** @returns the bytes read: less than asked for only at the end of the file */
function readFully(fd: number, into: Buffer, position: number): number {
  let length = 0;
  while (length < into.length) {
    const got = readSync(fd, into, length, into.length - length, position + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

function faultOf(error: unknown): ReadFault | undefined {
  if (error instanceof SwappedError)
    return { code: 'conflict', reason: 'it was replaced while the folder was read' };
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  if (error.code === 'ENOENT')
    return { code: 'conflict', reason: 'it disappeared while the folder was read' };
  if (error.code === 'ELOOP')
    return { code: 'conflict', reason: 'it became a link while the folder was read' };
  return { code: 'bad_request', reason: `it can't be read (${String(error.code)})` };
}
