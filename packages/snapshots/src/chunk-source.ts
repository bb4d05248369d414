import { createHash } from 'node:crypto';
import type { RouteOutput } from '@mycloud/shared';
import { AppError, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import { eachLimit } from './pool.js';
import { backOff, isPassing, tries, withRetry } from './retry.js';
import { storeRefusal, storeRequest } from './store-http.js';

export interface ChunkRequest {
  client: Client;
  snapshotId: string;
  hashes: string[];
  signal?: AbortSignal;
  /** Given each chunk once, verified; its bytes are only lent until the promise settles. */
  onChunk: (hash: string, data: Buffer) => Promise<void>;
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
const rangeBytes = 8 * 1024 * 1024;
const parallel = 4;
/** Chunks of one range written at the same time. */
const writers = 4;

/**
 * Fetches chunks of a snapshot: asks where they lie, reads neighbours in one Range request, four requests at a time,
 * and verifies each by its SHA-256. What fails in passing is located anew and tried again.
 *
 * @throws AppError naming the pack, and a file that needs it, when the store keeps giving wrong or too few bytes.
 */
export async function fetchChunks(request: ChunkRequest, attempt = 1): Promise<void> {
  for (let at = 0; at < request.hashes.length; at += maxHashesPerCall) {
    const ranges = await locate(request, request.hashes.slice(at, at + maxHashesPerCall));
    await eachLimit(ranges, parallel, async (range) => {
      const left = new Set(range.pieces.map((piece) => piece.hash));
      try {
        await fetchRange(request, range, left);
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

/** Fetches one range; strikes from `left` each chunk that was handed over. */
async function fetchRange(request: ChunkRequest, { pack, pieces }: Range, left: Set<string>): Promise<void> {
  const start = pieces[0]!.offset;
  const end = pieces.reduce((most, piece) => Math.max(most, piece.offset + piece.size), 0);
  const what = `pack ${pack.id}`;
  const answer = await storeRequest(request.client, pack.download, {
    signal: request.signal,
    headers: { range: `bytes=${start}-${end - 1}` },
  });
  if (answer.status !== 206 && answer.status !== 200) throw storeRefusal(what, answer);
  // A store may answer the whole pack instead of the range.
  const base = answer.status === 206 ? start : 0;
  await eachLimit(pieces, writers, async ({ hash, offset, size }) => {
    const data = answer.body.subarray(offset - base, offset - base + size);
    const file = request.fileOf(hash);
    if (data.length < size) {
      throw new AppError('internal', `${what} is cut short: it ends inside a chunk of ${file}`, {
        hint: 'The store has lost bytes. Upload the folder again to store them anew.',
        details: { pack: pack.id, chunk: hash },
      });
    }
    if (createHash('sha256').update(data).digest('hex') !== hash) {
      throw new AppError('internal', `${what} is damaged: a chunk of ${file} is not what its name says`, {
        hint: 'The store has changed bytes. Upload the folder again to store them anew.',
        details: { pack: pack.id, chunk: hash },
      });
    }
    await request.onChunk(hash, data);
    left.delete(hash);
  });
}
