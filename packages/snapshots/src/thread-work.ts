import { crc32 } from 'node:zlib';
import { FileReader, type Filled, type ToRead } from './file-reader.js';
import { findWritten, type Placed, type Suspect, writePlaces } from './tree-places.js';

/** Neighbouring bytes of a slab. */
export interface Range {
  offset: number;
  size: number;
}

/** What a thread is asked to do. */
export type Work =
  | { kind: 'begin'; files: ToRead }
  | { kind: 'fill'; memory: SharedArrayBuffer }
  | { kind: 'sum'; memory: SharedArrayBuffer; ranges: Range[] }
  | { kind: 'write'; memory: SharedArrayBuffer; chunks: Placed[] }
  | { kind: 'find'; suspects: Suspect[] };

export interface Answers {
  begin: undefined;
  fill: Filled;
  sum: number;
  write: string[];
  find: number[][];
}

/** Does a thread's work; one reads one list of files at a time. Calls block. */
export function createThreadWork() {
  let reader: FileReader | undefined;
  return (work: Work): Answers[Work['kind']] => {
    switch (work.kind) {
      case 'begin':
        reader?.close();
        reader = new FileReader(work.files);
        return undefined;
      case 'fill':
        if (!reader) throw new Error('nothing was begun');
        return reader.fill(Buffer.from(work.memory));
      case 'sum': {
        const slab = Buffer.from(work.memory);
        return work.ranges.reduce(
          (sum, { offset, size }) => crc32(slab.subarray(offset, offset + size), sum),
          0,
        );
      }
      case 'write':
        return writePlaces(Buffer.from(work.memory), work.chunks);
      case 'find':
        return findWritten(work.suspects);
    }
  };
}
