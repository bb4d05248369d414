import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Cutter, maxChunkBytes, wholeBytes } from './cutter.js';
import { type FileStamp, stampOf } from './stamp.js';

/** Files to be read, below a folder. */
export interface ToRead {
  root: string;
  /** With the system's separator. */
  paths: string[];
  /** Refuse those whose folders lead elsewhere by a link; for folders that are written to meanwhile. */
  guarded: boolean;
}

export interface ReadFault {
  code: 'conflict' | 'bad_request';
  reason: string;
}

/** How a file's part of a slab ended; a fault is told beside. */
export const PieceEnd = { goesOn: 0, unchanged: 1, changed: 2, fault: 3 } as const;

/**
 * What a slab was filled with, in columns, since it may be thousands of files. Chunks lie one after the other from the
 * slab's beginning; pieces (stretches of one file each) take so many of them in turn.
 */
export interface Filled {
  /** 32 bytes a chunk. */
  hashes: Uint8Array;
  sizes: Uint32Array;
  /** A piece's file: its place in what was to be read. */
  files: Uint32Array;
  pieceChunks: Uint32Array;
  /** Of PieceEnd. */
  ends: Uint8Array;
  /** Size, mtime, ctime and inode of each piece's file as it ended. */
  stamps: Float64Array;
  /** By piece. */
  faults: Map<number, ReadFault>;
  /** Bytes of the slab that are taken. */
  used: number;
  /** Of these bytes. */
  crc32: number;
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

  constructor(private readonly files: ToRead) {}

  /** @param slab at least as long as the longest chunk */
  fill(slab: Buffer): Filled {
    const filled = new Filling();
    while (this.open || this.next < this.files.paths.length) {
      const file = this.open ? this.next - 1 : this.next++;
      filled.begin(file);
      try {
        this.open ??= openFile(this.files, file);
        const small = this.open.before.size <= wholeBytes;
        if (small && filled.bytes + this.open.before.size > slab.length) return filled.give(slab, false);
        const rest = slab.subarray(filled.bytes);
        const ended = small ? this.readWhole(rest, filled) : this.readOn(rest, filled);
        if (!ended) return filled.give(slab, false);
        const after = stampOf(fstatSync(this.open.fd));
        filled.end(this.isSame(after) ? PieceEnd.unchanged : PieceEnd.changed, after);
      } catch (error) {
        const fault = faultOf(error);
        if (!fault) throw error;
        filled.fail(fault);
      }
      this.close();
    }
    return filled.give(slab, true);
  }

  /** Lets go of a file that was not read to its end. */
  close(): void {
    if (this.open) closeSync(this.open.fd);
    this.open = undefined;
    this.carriedBytes = 0;
    this.cutter.reset();
  }

  private readWhole(into: Buffer, filled: Filling): true {
    const file = this.open!;
    const length = readFully(file.fd, into.subarray(0, file.before.size), 0);
    file.position = length;
    if (length > 0) filled.chunk(into.subarray(0, length));
    return true;
  }

  /** @returns whether the file has ended */
  private readOn(into: Buffer, filled: Filling): boolean {
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
      filled.chunk(bytes.subarray(start, start + length));
      start += length;
    }
    this.carriedBytes = bytes.copy(this.carried, 0, start);
    return ended;
  }

  private isSame(after: FileStamp): boolean {
    const { before, position } = this.open!;
    return position === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs;
  }
}

/** Gathers what a slab is filled with. */
class Filling {
  /** Of its chunks, which leave no gaps. */
  bytes = 0;
  private hashes = '';
  private readonly sizes: number[] = [];
  private readonly files: number[] = [];
  private readonly pieceChunks: number[] = [];
  private readonly ends: number[] = [];
  private readonly stamps: number[] = [];
  private readonly faults = new Map<number, ReadFault>();

  begin(file: number): void {
    this.files.push(file);
    this.pieceChunks.push(0);
    this.ends.push(PieceEnd.goesOn);
    this.stamps.push(0, 0, 0, 0);
  }

  chunk(bytes: Buffer): void {
    this.hashes += hash('sha256', bytes);
    this.sizes.push(bytes.length);
    this.pieceChunks[this.pieceChunks.length - 1]! += 1;
    this.bytes += bytes.length;
  }

  end(end: number, { size, mtimeMs, ctimeMs, inode }: FileStamp): void {
    this.ends[this.ends.length - 1] = end;
    const at = this.stamps.length - 4;
    for (const [i, value] of [size, mtimeMs, ctimeMs, inode].entries()) this.stamps[at + i] = value;
  }

  fail(fault: ReadFault): void {
    this.ends[this.ends.length - 1] = PieceEnd.fault;
    this.faults.set(this.ends.length - 1, fault);
  }

  give(slab: Buffer, done: boolean): Filled {
    return {
      hashes: new Uint8Array(Buffer.from(this.hashes, 'hex')),
      sizes: Uint32Array.from(this.sizes),
      files: Uint32Array.from(this.files),
      pieceChunks: Uint32Array.from(this.pieceChunks),
      ends: Uint8Array.from(this.ends),
      stamps: Float64Array.from(this.stamps),
      faults: this.faults,
      used: this.bytes,
      crc32: crc32(slab.subarray(0, this.bytes)),
      done,
    };
  }
}

function openFile({ root, paths, guarded }: ToRead, file: number): OpenFile {
  const absolute = `${root}/${paths[file]}`;
  const fd = openSync(absolute, readFlags);
  const stat = fstatSync(fd);
  // A job that still runs may turn a folder of its output into a link to somewhere it can't read itself; only Linux can tell.
  const elsewhere =
    guarded && process.platform === 'linux' && readlinkSync(`/proc/self/fd/${fd}`) !== absolute;
  if (!stat.isFile() || elsewhere) {
    closeSync(fd);
    throw new SwappedError();
  }
  return { fd, before: stampOf(stat), position: 0 };
}

class SwappedError extends Error {}

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
