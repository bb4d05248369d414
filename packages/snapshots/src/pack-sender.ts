import { crc32 } from 'node:zlib';
import { AppError, type AttemptProof, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import type { ChunkTable } from './chunk-table.js';
import { Limit } from './pool.js';
import { backOff, isPassing, tries, withRetry } from './retry.js';
import { type Slab, type SlabPool, slabBytes } from './slab.js';
import { absolute, ofStore } from './store-http.js';
import { refusalOf, requestStore } from './store-request.js';
import type { Range } from './thread-work.js';
import type { Helper } from './threads.js';

const packBytes = slabBytes;
/** Well under what one createPack call may list. */
const packChunks = 8192;
/** Handed to the network at a time, so that a slow line shows its progress. */
const partBytes = 512 * 1024;

export interface SenderOptions {
  client: Client;
  attempt?: AttemptProof;
  owner?: string;
  signal?: AbortSignal;
  /** Packs sent at the same time. */
  concurrency: number;
  /** Bytes handed to the network; negative when a try failed and they will be sent again. */
  onSent?: (bytes: number) => void;
  /** How a pack gets into the store, where that isn't by its signed URL: in the server itself. */
  put?: PutPack;
}

/** Stores the bytes of an announced pack. */
export type PutPack = (pack: { id: string; size: number; parts: readonly Buffer[] }) => Promise<void>;

/** Answers which of these hashes the owner lacks, asking in as many calls as it takes. */
export async function askMissing(options: SenderOptions, hashes: string[]): Promise<Set<string>> {
  const missing = new Set<string>();
  for (let at = 0; at < hashes.length; at += maxHashesPerCall) {
    const body = {
      hashes: hashes.slice(at, at + maxHashesPerCall),
      attempt: options.attempt,
      owner: options.owner,
    };
    const { client, signal } = options;
    const answer = await withRetry(() => client.call(snapshotRoutes.missing, { body }, { signal }), signal);
    for (const hash of answer.missing) missing.add(hash);
  }
  return missing;
}

interface Pack {
  crc32: number;
  size: number;
  chunks: Lying[];
  parts: Buffer[];
}

/** A chunk, by its number among those that are known, and where its bytes begin. Small: thousands wait with their packs. */
interface Lying {
  id: number;
  offset: number;
}

/**
 * Takes slabs of chunks, asks which are missing, and sends those: a slab that is mostly missing as a pack of its own,
 * the few of other slabs gathered into one. Each pack is committed as soon as it is sent: what an upload that breaks
 * off has sent counts as stored for the next one.
 *
 * Invariant: a slab given comes back to its pool, whatever happens; it waits for nothing but the network.
 */
export class PackSender {
  sentBytes = 0;
  newChunks = 0;
  private readonly limit: Limit;
  private readonly under = new Set<Promise<void>>();
  private gathered: Gathered[] = [];
  private gatheredBytes = 0;
  private failure: { error: unknown } | undefined;

  /** @param known marked are the chunks the owner has, or that were given to this sender */
  constructor(
    private readonly options: SenderOptions,
    private readonly slabs: SlabPool,
    private readonly known: ChunkTable,
  ) {
    this.limit = new Limit(options.concurrency);
  }

  /**
   * Takes a slab with its chunks, which lie in it from its beginning, and answers at once.
   * @param ids numbers of `known`. @param helper who sums up what becomes a pack of its own
   */
  add(slab: Slab, ids: readonly number[], crc32: number, helper: Helper): void {
    const fresh: Lying[] = [];
    let offset = 0;
    for (const id of ids) {
      if (this.known.mark(id)) fresh.push({ id, offset });
      offset += this.known.size(id);
    }
    const whole = fresh.length === ids.length ? { crc32, size: offset } : undefined;
    const task = this.store(slab, fresh, whole, helper)
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.under.delete(task);
        this.slabs.give(slab);
      });
    this.under.add(task);
  }

  /** @throws what went wrong with any chunk so far. */
  check(): void {
    if (this.failure) throw this.failure.error;
  }

  /** Nothing is under way any more, whether it went well or not. */
  async settled(): Promise<void> {
    while (this.under.size > 0) await Promise.all(this.under);
  }

  /** Sends what is left; when it returns, every chunk given is stored. */
  async finish(): Promise<void> {
    await this.settled();
    this.check();
    await this.flush();
  }

  private async store(
    slab: Slab,
    chunks: Lying[],
    whole: { crc32: number; size: number } | undefined,
    helper: Helper,
  ): Promise<void> {
    if (chunks.length === 0 || this.failure) return;
    const missing =
      whole && whole.size >= packBytes / 2 && chunks.length <= packChunks
        ? await this.limit.run(() =>
            this.sendIfAllMissing({ ...whole, chunks, parts: partsOf(slab, 0, whole.size) }),
          )
        : await askMissing(
            this.options,
            chunks.map(({ id }) => this.known.hex(id)),
          );
    const left = chunks.filter(({ id }) => missing.has(this.known.hex(id)));
    if (left.reduce((sum, { id }) => sum + this.known.size(id), 0) < packBytes / 2)
      await this.gather(slab, left);
    else {
      for (let at = 0; at < left.length; at += packChunks) {
        const chosen = left.slice(at, at + packChunks);
        await this.limit.run(async () => void (await this.send(await this.slabPack(slab, chosen, helper))));
      }
    }
  }

  /** Sends a slab as it is, the question what is missing saved. @returns what is, when it isn't all; then nothing was sent */
  private async sendIfAllMissing(pack: Pack): Promise<Set<string>> {
    return new Set(await this.send(pack, true));
  }

  /** Copies chunks out of a slab; its owner waits while a pack made full by them is sent. */
  private async gather(slab: Slab, chunks: Lying[]): Promise<void> {
    for (const { id, offset } of chunks) {
      const size = this.known.size(id);
      this.gathered.push({ id, data: Buffer.from(slab.subarray(offset, offset + size)) });
      this.gatheredBytes += size;
      if (this.gatheredBytes >= packBytes || this.gathered.length >= packChunks) await this.flush();
    }
  }

  private async flush(): Promise<void> {
    const { gathered } = this;
    this.gathered = [];
    this.gatheredBytes = 0;
    if (gathered.length > 0) await this.limit.run(async () => void (await this.send(gatheredPack(gathered))));
  }

  /** @returns with `onlyWhole`: the chunks that are missing when others aren't, and the pack was not sent */
  private async send(pack: Pack, onlyWhole = false): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      this.check();
      try {
        return await this.trySend(pack, onlyWhole);
      } catch (error) {
        if (attempt >= tries || !isPassing(error)) throw error;
        await backOff(attempt, this.options.signal);
      }
    }
  }

  /** Announces the pack anew on every try: its signed URL may have run out. */
  private async trySend({ crc32, size, chunks, parts }: Pack, onlyWhole: boolean): Promise<string[]> {
    const { client, signal, attempt, owner } = this.options;
    const checksum = `crc32:${crc32.toString(16).padStart(8, '0')}`;
    const { known } = this;
    const named = chunks.map(({ id, offset }) => ({ hash: known.hex(id), offset, size: known.size(id) }));
    const body = { checksum, size, chunks: named, onlyWhole, attempt, owner };
    const { id, upload, missing } = await client.call(snapshotRoutes.createPack, { body }, { signal });
    if (!id || !upload) return missing;
    let counted = 0;
    const onBytes = (bytes: number): void => {
      counted += bytes;
      this.options.onSent?.(bytes);
    };
    try {
      if (this.options.put) await this.options.put({ id, size, parts });
      else {
        const answer = await requestStore(absolute(client, upload), { parts, signal, onBytes });
        if (answer.status >= 300) throw refusalOf('a pack', answer);
      }
      await client.call(snapshotRoutes.commitPack, { params: { id }, body: { attempt, owner } }, { signal });
      this.sentBytes += size;
      this.newChunks += chunks.length;
      return [];
    } catch (error) {
      this.options.onSent?.(-counted);
      // The bytes didn't arrive as they were sent: worth another try.
      if (error instanceof AppError && error.code === 'bad_request') {
        throw new AppError('unavailable', `the store did not get a pack whole: ${error.message}`, {
          cause: error,
        });
      }
      throw ofStore(error);
    }
  }

  /** A pack straight out of a slab: what the owner has already is left out, the rest moves up. */
  private async slabPack(slab: Slab, chosen: Lying[], helper: Helper): Promise<Pack> {
    const ranges: Range[] = [];
    let size = 0;
    const chunks = chosen.map(({ id, offset }) => {
      const length = this.known.size(id);
      const last = ranges.at(-1);
      if (last && last.offset + last.size === offset) last.size += length;
      else ranges.push({ offset, size: length });
      size += length;
      return { id, offset: size - length };
    });
    const parts = ranges.flatMap((range) => partsOf(slab, range.offset, range.size));
    return { crc32: await helper.sum(slab, ranges), size, chunks, parts };
  }
}

function partsOf(slab: Slab, offset: number, size: number): Buffer[] {
  const parts: Buffer[] = [];
  const end = offset + size;
  for (let at = offset; at < end; at += partBytes)
    parts.push(slab.subarray(at, Math.min(at + partBytes, end)));
  return parts;
}

interface Gathered {
  id: number;
  data: Buffer;
}

function gatheredPack(gathered: readonly Gathered[]): Pack {
  let sum = 0;
  let size = 0;
  const chunks = gathered.map(({ id, data }) => {
    sum = crc32(data, sum);
    size += data.length;
    return { id, offset: size - data.length };
  });
  return { crc32: sum, size, chunks, parts: gathered.map(({ data }) => data) };
}
