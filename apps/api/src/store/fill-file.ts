import type { FileHandle } from 'node:fs/promises';
import { finished, type Readable } from 'node:stream';
import { AppError } from '@mycloud/shared';
import { type Checksum, openSum } from './checksum.js';

/** Gathered before it is written: what comes from the network comes in pieces of 64 KiB. */
const writeBytes = 1024 * 1024;

/**
 * Writes a stream to a file as it comes, counted and summed up; it is held back while writes lag behind.
 * @throws AppError bad_request for other bytes than expected, or more or fewer of them; what the source or the disk says
 */
export async function fillFile(
  file: FileHandle,
  source: Readable,
  expected: { size: number; checksum?: Checksum },
): Promise<void> {
  const sum = expected.checksum === undefined ? undefined : openSum(expected.checksum);
  let size = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let waiting = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    const parts = gathered;
    gathered = [];
    gatheredBytes = 0;
    waiting += 1;
    writing = writing.then(() => writeAll(file, parts));
    return writing.then(() => {
      waiting -= 1;
    });
  };
  // Events, not an iterator: a gigabyte comes in 16,000 pieces, and each turn of an iterator costs as much as its sum.
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      // What still comes is let run by: who sends it can hear the answer then.
      source.off('data', take);
      source.resume();
      reject(error);
    };
    const take = (piece: Uint8Array): void => {
      size += piece.length;
      if (size > expected.size) {
        fail(wrongSize(size, expected.size));
        return;
      }
      sum?.update(piece);
      gathered.push(piece);
      gatheredBytes += piece.length;
      if (gatheredBytes < writeBytes) return;
      const written = flush();
      // One write goes on while the next part comes.
      if (waiting > 1) source.pause();
      written.then(() => source.resume(), fail);
    };
    source.on('data', take);
    // Also of a source that was over before this began: its sender had hung up.
    finished(source, { writable: false }, (error) => (error ? reject(saidOf(error)) : resolve()));
  });
  await flush();
  if (size !== expected.size) throw wrongSize(size, expected.size);
  if (sum && !sum.matches()) {
    throw new AppError('bad_request', 'the bytes have another checksum than was announced', {
      hint: 'Send them again.',
    });
  }
}

/** Who sends it may have hung up; any other error says itself what it is. */
function saidOf(error: NodeJS.ErrnoException): Error {
  const isCutOff = error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET';
  return isCutOff ? new AppError('bad_request', 'the bytes broke off', { cause: error }) : error;
}

function wrongSize(size: number, expected: number): AppError {
  const came = size > expected ? 'more' : String(size);
  return new AppError('bad_request', `${came} bytes came where ${expected} were announced`);
}

/** Writes all of it: writev may stop short on a full disk without an error, and says why only when asked again. */
async function writeAll(file: FileHandle, parts: Uint8Array[]): Promise<void> {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  if (total === 0) return;
  const { bytesWritten } = await file.writev(parts);
  if (bytesWritten < total) await file.writeFile(Buffer.concat(parts).subarray(bytesWritten));
}
