import type { RouteOutput } from '@mycloud/shared';
import { AppError, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import { eachLimit } from './pool.js';
import { backOff, isPassing, tries, withRetry } from './retry.js';
import { newSlab, type SlabPool, slabBytes } from './slab.js';
import { absolute, ofStore } from './store-http.js';
import type { Helpers } from './threads.js';
import type { Place } from './tree-places.js';

export interface ChunkRequest {
  client: Client;
  snapshotId: string;
  hashes: string[];
  signal?: AbortSignal;
  slabs: SlabPool;
  helpers: Helpers;
  /** Where a chunk goes. */
  placesOf: (hash: string) => Place[];
  /** Told of each chunk once, when it is written. */
  onWritten: (hash: string) => void;
  /** For messages: a file that needs the chunk. */
  fileOf: (hash: string) => string;
}

type Located = RouteOutput<typeof snapshotRoutes.locate>;
type Pack = Located['packs'][number];
type Piece = Located['chunks'][number];
interface Range {
  pack: Pack;
  pieces: Piece[];
}

/** Unwanted bytes read rather than asked around: cheaper than another request. */
const gapBytes = 128 * 1024;
const rangeBytes = slabBytes;
export const parallelRanges = 4;

/**
 * Fetches chunks of a snapshot: asks where they lie, reads neighbours in one Range request, four requests at a time,
 * verifies each by its SHA-256 and writes it where it goes. What fails in passing is located anew and tried again.
 *
 * @throws AppError naming the pack, and a file that needs it, when the store keeps giving wrong or too few bytes.
 */
export async function fetchChunks(request: ChunkRequest, attempt = 1): Promise<void> {
  for (let at = 0; at < request.hashes.length; at += maxHashesPerCall) {
    const ranges = await locate(request, request.hashes.slice(at, at + maxHashesPerCall));
    await eachLimit(ranges, parallelRanges, async (range) => {
      const left = new Set(range.pieces.map((piece) => piece.hash));
      try {
        await takeRange(request, range, left);
      } catch (error) {
        if (attempt >= tries || request.signal?.aborted || !isPassing(error)) throw error;
        await backOff(attempt, request.signal);
        await fetchChunks({ ...request, hashes: [...left] }, attempt + 1);
      }
    });
  }
}

async function locate(
  { client, snapshotId, signal, fileOf }: ChunkRequest,
  hashes: string[],
): Promise<Range[]> {
  const input = { params: { id: snapshotId }, body: { hashes } };
  const located = await withRetry(() => client.call(snapshotRoutes.locate, input, { signal }), signal);
  const found = new Set(located.chunks.map((piece) => piece.hash));
  const lost = hashes.find((hash) => !found.has(hash));
  if (lost) {
    throw new AppError('not_found', `the server does not know where a chunk of ${fileOf(lost)} is`, {
      details: { chunk: lost, snapshotId },
    });
  }
  return coalesce(located);
}

/** Neighbouring chunks of a pack become one range. */
function coalesce({ packs, chunks }: Located): Range[] {
  const ranges: Range[] = [];
  const sorted = [...chunks].sort((a, b) => a.pack - b.pack || a.offset - b.offset);
  let open: { range: Range; index: number; start: number; end: number } | undefined;
  for (const piece of sorted) {
    const end = piece.offset + piece.size;
    const fits =
      open?.index === piece.pack && piece.offset - open.end <= gapBytes && end - open.start <= rangeBytes;
    if (open && fits) {
      open.range.pieces.push(piece);
      open.end = Math.max(open.end, end);
      continue;
    }
    const pack = packs[piece.pack];
    if (!pack) throw new AppError('internal', 'the server placed a chunk in a pack it did not name');
    open = { range: { pack, pieces: [piece] }, index: piece.pack, start: piece.offset, end };
    ranges.push(open.range);
  }
  return ranges;
}

/** Has one range fetched and written; strikes from `left` each chunk that was written. */
async function takeRange(request: ChunkRequest, range: Range, left: Set<string>): Promise<void> {
  const start = range.pieces[0]!.offset;
  const end = range.pieces.reduce((most, piece) => Math.max(most, piece.offset + piece.size), 0);
  const { client, signal, helpers } = request;
  const chunks = range.pieces.map(({ hash, offset, size }) => ({
    hash,
    offset: offset - start,
    size,
    places: request.placesOf(hash),
  }));
  const signed = absolute(client, range.pack.download);
  const pooled = end - start <= slabBytes;
  const slab = pooled ? await request.slabs.take() : newSlab(end - start);
  try {
    const asked = { signed, pack: range.pack.id, start, end, chunks };
    const { length, damaged } = await helpers.next().fetch(slab, asked, signal);
    const whole = range.pieces.filter(({ offset, size }) => offset + size - start <= length);
    for (const { hash } of whole) {
      if (damaged.length > 0 && damaged.includes(hash)) continue;
      request.onWritten(hash);
      left.delete(hash);
    }
    const short =
      whole.length < range.pieces.length ? range.pieces.find((piece) => !whole.includes(piece)) : undefined;
    const bad = damaged[0] ?? short?.hash;
    if (bad) throw lost(range.pack.id, bad, request.fileOf(bad), damaged.length > 0);
  } catch (error) {
    throw ofStore(error);
  } finally {
    if (pooled) request.slabs.give(slab);
  }
}

function lost(pack: string, chunk: string, file: string, damaged: boolean): AppError {
  const message = damaged
    ? `pack ${pack} is damaged: a chunk of ${file} is not what its name says`
    : `pack ${pack} is cut short: it ends inside a chunk of ${file}`;
  return new AppError('internal', message, {
    hint: `The store has ${damaged ? 'changed' : 'lost'} bytes. Upload the folder again to store them anew.`,
    details: { pack, chunk },
  });
}
