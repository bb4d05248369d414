import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { Hasher } from 'gearhash-jit';
import type { Chunk } from './manifest.js';

/** A chunk with its bytes, which belong to it alone. */
export interface CutChunk extends Chunk {
  data: Buffer;
}

/** Files up to this size are one chunk: cutting them would save little and cost a request each. */
const wholeBytes = 1024 * 1024;
const minBytes = 256 * 1024;
const maxBytes = 4 * 1024 * 1024;
/**
 * A cut where the 20 highest bits of the gear hash are zero: 1 MiB past the minimum on average. The highest bits,
 * because a byte shifts out of them only after 64 steps (Xia et al., FastCDC, USENIX ATC 2016).
 */
const mask = 0xfffff00000000000n;
/** What the hasher takes in one call is less than 512 KiB. */
const stepBytes = 256 * 1024;
const blockBytes = 2 * maxBytes;
const readSome = promisify(read);

/**
 * Cuts `size` bytes of a file into chunks by content, so that an insertion changes the chunks around it and no
 * others. Deterministic: these numbers are part of what makes equal files equal chunks, and stay.
 * Ends early, with chunks of less than `size` bytes in all, when the file does.
 */
export async function* cutFile(fd: number, size: number): AsyncGenerator<CutChunk> {
  if (size <= wholeBytes) {
    const data = Buffer.allocUnsafeSlow(size);
    const length = await readFully(fd, data, 0, 0);
    if (length > 0) yield named(data.subarray(0, length));
    return;
  }
  const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, size));
  const hasher = new Hasher(mask);
  let held = 0;
  let position = 0;
  for (;;) {
    const wanted = Math.min(block.length - held, size - position);
    const got = await readFully(fd, block.subarray(0, held + wanted), held, position);
    held += got;
    position += got;
    const ended = got < wanted || position === size;
    let start = 0;
    // Short of the end, a cut is only sure with the longest chunk in view.
    while (start < held && (ended || held - start >= maxBytes)) {
      const length = nextCut(hasher, block.subarray(start, held));
      yield named(Buffer.from(block.subarray(start, start + length)));
      start += length;
    }
    block.copyWithin(0, start, held);
    held -= start;
    if (ended) return;
  }
}

/** Length of the first chunk of `bytes`. */
function nextCut(hasher: Hasher, bytes: Buffer): number {
  const limit = Math.min(bytes.length, maxBytes);
  hasher.resetHash();
  for (let at = minBytes; at < limit; at += stepBytes) {
    const found = hasher.nextMatch(bytes.subarray(at, Math.min(at + stepBytes, limit)));
    if (found > 0) return at + found;
  }
  return limit;
}

function named(data: Buffer): CutChunk {
  return { hash: createHash('sha256').update(data).digest('hex'), size: data.length, data };
}

/** Fills `into` from offset `from` on; less only at the end of the file. */
async function readFully(fd: number, into: Buffer, from: number, position: number): Promise<number> {
  let length = 0;
  while (from + length < into.length) {
    const { bytesRead } = await readSome(
      fd,
      into,
      from + length,
      into.length - from - length,
      position + length,
    );
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
