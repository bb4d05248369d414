import { crc32 } from 'node:zlib';
import type { Fetched, ToFetch } from './fetch-range.js';
import { FileReader, type Filled, type ToRead } from './file-reader.js';
import { findWritten, type Suspect } from './tree-places.js';

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
  | { kind: 'fetch'; memory: SharedArrayBuffer; range: ToFetch }
  | { kind: 'cancel' }
  | { kind: 'find'; suspects: Suspect[] };

export interface Answers {
  begin: undefined;
  fill: Filled;
  sum: number;
  /** Takes other work while it waits for the network. */
  fetch: Promise<Fetched>;
  cancel: undefined;
  find: number[][];
}

/** Does a thread's work; one reads one list of files at a time. Calls block, but for those of the network. */
export function createThreadWork() {
  let reader: FileReader | undefined;
  let fetching = new AbortController();
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
      case 'fetch':
        return fetchInto(Buffer.from(work.memory), work.range, fetching.signal);
      case 'cancel':
        fetching.abort();
        fetching = new AbortController();
        return undefined;
      case 'find':
        return findWritten(work.suspects);
    }
  };
}

/** The network is loaded only where it is used: threads that read files are kept small. */
async function fetchInto(slab: Buffer, range: ToFetch, signal: AbortSignal): Promise<Fetched> {
  const { fetchRange } = await import('./fetch-range.js');
  return await fetchRange(slab, range, signal);
}
