import { createHash } from 'node:crypto';
import { AppError, type AttemptProof, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import type { SlabChunk } from './file-reader.js';
import { Limit } from './pool.js';
import { backOff, isPassing, tries, withRetry } from './retry.js';
import { type Slab, type SlabPool, slabBytes } from './slab.js';
import { storeRefusal, storeRequest } from './store-http.js';
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
  signal?: AbortSignal;
  /** Packs sent at the same time. */
  concurrency: number;
  /** Bytes handed to the network; negative when a try failed and they will be sent again. */
  onSent?: (bytes: number) => void;
}

/** Answers which of these hashes the owner lacks, asking in as many calls as it takes. */
export async function askMissing(options: SenderOptions, hashes: string[]): Promise<Set<string>> {
  const missing = new Set<string>();
  for (let at = 0; at < hashes.length; at += maxHashesPerCall) {
    const body = { hashes: hashes.slice(at, at + maxHashesPerCall), attempt: options.attempt };
    const { client, signal } = options;
    const answer = await withRetry(() => client.call(snapshotRoutes.missing, { body }, { signal }), signal);
    for (const hash of answer.missing) missing.add(hash);
  }
  return missing;
}

interface Pack {
  sha256: string;
  size: number;
  chunks: SlabChunk[];
  parts: Buffer[];
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
  private readonly known = new Set<string>();
  private readonly limit: Limit;
  private readonly under = new Set<Promise<void>>();
  private gathered: { hash: string; data: Buffer }[] = [];
  private gatheredBytes = 0;
  private failure: { error: unknown } | undefined;

  constructor(
    private readonly options: SenderOptions,
    private readonly slabs: SlabPool,
  ) {
    this.limit = new Limit(options.concurrency);
  }

  /** Says that the owner has these already. */
  know(hashes: Iterable<string>): void {
    for (const hash of hashes) this.known.add(hash);
  }

  /** Takes a slab with its chunks and answers at once. @param helper who hashes what becomes a pack */
  add(slab: Slab, chunks: readonly SlabChunk[], helper: Helper): void {
    const fresh = chunks.filter(({ hash }) => !this.known.has(hash) && this.known.add(hash));
    const task = this.store(slab, fresh, helper)
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

  private async store(slab: Slab, chunks: SlabChunk[], helper: Helper): Promise<void> {
    if (chunks.length === 0 || this.failure) return;
    const missing = await askMissing(
      this.options,
      chunks.map((chunk) => chunk.hash),
    );
    const left = chunks.filter((chunk) => missing.has(chunk.hash));
    this.newChunks += left.length;
    if (left.reduce((sum, chunk) => sum + chunk.size, 0) < packBytes / 2) await this.gather(slab, left);
    else {
      for (let at = 0; at < left.length; at += packChunks) {
        const chosen = left.slice(at, at + packChunks);
        await this.limit.run(async () => this.send(await slabPack(slab, chosen, helper)));
      }
    }
  }

  /** Copies chunks out of a slab; its owner waits while a pack made full by them is sent. */
  private async gather(slab: Slab, chunks: SlabChunk[]): Promise<void> {
    for (const { hash, offset, size } of chunks) {
      this.gathered.push({ hash, data: Buffer.from(slab.subarray(offset, offset + size)) });
      this.gatheredBytes += size;
      if (this.gatheredBytes >= packBytes || this.gathered.length >= packChunks) await this.flush();
    }
  }

  private async flush(): Promise<void> {
    const { gathered } = this;
    this.gathered = [];
    this.gatheredBytes = 0;
    if (gathered.length > 0) await this.limit.run(() => this.send(gatheredPack(gathered)));
  }

  private async send(pack: Pack): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.check();
      try {
        return await this.trySend(pack);
      } catch (error) {
        if (attempt >= tries || !isPassing(error)) throw error;
        await backOff(attempt, this.options.signal);
      }
    }
  }

  /** Announces the pack anew on every try: its signed URL may have run out. */
  private async trySend({ sha256, size, chunks, parts }: Pack): Promise<void> {
    const { client, signal, attempt } = this.options;
    const body = { sha256, size, chunks, attempt };
    const { id, upload } = await client.call(snapshotRoutes.createPack, { body }, { signal });
    if (!upload) return;
    let counted = 0;
    const onBytes = (bytes: number): void => {
      counted += bytes;
      this.options.onSent?.(bytes);
    };
    try {
      const answer = await storeRequest(client, upload, { parts, signal, onBytes });
      if (answer.status >= 300) throw storeRefusal('a pack', answer);
      await client.call(snapshotRoutes.commitPack, { params: { id }, body: { attempt } }, { signal });
      this.sentBytes += size;
    } catch (error) {
      this.options.onSent?.(-counted);
      // The bytes didn't arrive as they were sent: worth another try.
      if (error instanceof AppError && error.code === 'bad_request') {
        throw new AppError('unavailable', `the store did not get a pack whole: ${error.message}`, {
          cause: error,
        });
      }
      throw error;
    }
  }
}

/** A pack straight out of a slab: what the owner has already is left out, the rest moves up. */
async function slabPack(slab: Slab, chosen: SlabChunk[], helper: Helper): Promise<Pack> {
  const ranges: Range[] = [];
  let size = 0;
  const chunks = chosen.map((chunk) => {
    const last = ranges.at(-1);
    if (last && last.offset + last.size === chunk.offset) last.size += chunk.size;
    else ranges.push({ offset: chunk.offset, size: chunk.size });
    size += chunk.size;
    return { ...chunk, offset: size - chunk.size };
  });
  const parts: Buffer[] = [];
  for (const { offset, size: length } of ranges) {
    for (let at = offset; at < offset + length; at += partBytes) {
      parts.push(slab.subarray(at, Math.min(at + partBytes, offset + length)));
    }
  }
  return { sha256: await helper.hash(slab, ranges), size, chunks, parts };
}

function gatheredPack(gathered: { hash: string; data: Buffer }[]): Pack {
  const sha256 = createHash('sha256');
  let size = 0;
  const chunks = gathered.map(({ hash, data }) => {
    sha256.update(data);
    size += data.length;
    return { hash, offset: size - data.length, size: data.length };
  });
  return { sha256: sha256.digest('hex'), size, chunks, parts: gathered.map(({ data }) => data) };
}
