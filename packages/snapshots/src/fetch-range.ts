import type { SignedRequest } from '@mycloud/shared';
import { refusalOf, requestStore } from './store-request.js';
import { type Placed, writePlaces } from './tree-places.js';

/** Neighbouring chunks of a pack, and where they go. */
export interface ToFetch {
  /** Of an absolute URL. */
  signed: SignedRequest;
  /** For messages. */
  pack: string;
  /** Bytes of the pack, `end` not among them. */
  start: number;
  end: number;
  /** Their offsets count from `start`. */
  chunks: Placed[];
}

export interface Fetched {
  /** Bytes that came; chunks that lie beyond were not written. */
  length: number;
  /** Names of those that are damaged, which were not written either. */
  damaged: string[];
}

/**
 * Reads a range of a pack into a slab, verifies its chunks and writes them where they go.
 * @throws StoreFault when the store doesn't answer as it should
 */
export async function fetchRange(slab: Buffer, range: ToFetch, signal: AbortSignal): Promise<Fetched> {
  const length = await readRange(slab, range, signal);
  const whole = range.chunks.filter(({ offset, size }) => offset + size <= length);
  return { length, damaged: writePlaces(slab, whole) };
}

async function readRange(
  slab: Buffer,
  { signed, pack, start, end }: ToFetch,
  signal: AbortSignal,
): Promise<number> {
  const headers = { range: `bytes=${start}-${end - 1}` };
  const answer = await requestStore(signed, { signal, headers, into: slab });
  if (answer.status === 206) return answer.body.length;
  if (answer.status !== 200) throw refusalOf(`pack ${pack}`, answer);
  // A store may answer the whole pack instead of the range.
  return answer.body.copy(slab, 0, start, end);
}
