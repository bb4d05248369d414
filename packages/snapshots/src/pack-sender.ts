import { createHash } from 'node:crypto';
import { AppError, type AttemptProof, type Client, maxHashesPerCall, snapshotRoutes } from '@mycloud/shared';
import type { CutChunk } from './chunker.js';
import { backOff, isPassing, tries, withRetry } from './retry.js';
import { storeRefusal, storeRequest } from './store-http.js';

const packBytes = 8 * 1024 * 1024;
/** Well under what one createPack call may list. */
const packChunks = 4096;

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

/**
 * Takes chunks, asks in batches which are missing, and sends those in packs of about 8 MiB. Each pack is committed as
 * soon as it is sent: what an upload that breaks off has sent counts as stored for the next one.
 *
 * Invariant: the bytes held (batch, open pack, packs under way) stay under `maxHeld`; `add` waits when they don't.
 * It can't wait for ever, since what waits to be filled is at most a batch and a pack, far less than `maxHeld`.
 */
export class PackSender {
  sentBytes = 0;
  newChunks = 0;
  private readonly settled = new Set<string>();
  private readonly maxHeld: number;
  private held = 0;
  private batch: CutChunk[] = [];
  private batchSize = 0;
  private pack: CutChunk[] = [];
  private packSize = 0;
  private asking: Promise<void> = Promise.resolve();
  private readonly sending = new Set<Promise<void>>();
  private failure: { error: unknown } | undefined;
  private wake: (() => void)[] = [];

  constructor(private readonly options: SenderOptions) {
    this.maxHeld = (options.concurrency + 4) * packBytes;
  }

  /** Says that the owner has these already. */
  know(hashes: Iterable<string>): void {
    for (const hash of hashes) this.settled.add(hash);
  }

  /** Takes a chunk, and waits while too much is held. @throws what went wrong with any chunk so far. */
  async add(chunk: CutChunk): Promise<void> {
    this.check();
    if (this.settled.has(chunk.hash)) return;
    this.settled.add(chunk.hash);
    this.held += chunk.size;
    this.batch.push(chunk);
    this.batchSize += chunk.size;
    if (this.batchSize >= packBytes || this.batch.length >= packChunks) this.flushBatch();
    while (this.held > this.maxHeld) await this.change();
  }

  /** Sends what is left; when it returns, every chunk given is stored. */
  async finish(): Promise<void> {
    this.flushBatch();
    await this.asking;
    this.flushPack();
    while (this.sending.size > 0) await this.change();
    this.check();
  }

  private check(): void {
    if (this.failure) throw this.failure.error;
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.changed();
  }

  private async change(): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => this.wake.push(resolve));
    this.check();
  }

  private changed(): void {
    for (const resolve of this.wake.splice(0)) resolve();
  }

  private release(bytes: number): void {
    this.held -= bytes;
    this.changed();
  }

  private flushBatch(): void {
    const batch = this.batch;
    this.batch = [];
    this.batchSize = 0;
    if (batch.length === 0) return;
    this.asking = this.asking.then(() => this.ask(batch)).catch((error) => this.fail(error));
  }

  private async ask(batch: CutChunk[]): Promise<void> {
    this.check();
    const hashes = batch.map((chunk) => chunk.hash);
    const missing = await askMissing(this.options, hashes);
    for (const chunk of batch) {
      if (!missing.has(chunk.hash)) {
        this.release(chunk.size);
        continue;
      }
      this.newChunks += 1;
      this.pack.push(chunk);
      this.packSize += chunk.size;
      if (this.packSize < packBytes && this.pack.length < packChunks) continue;
      while (this.sending.size >= this.options.concurrency) await this.change();
      this.flushPack();
    }
  }

  private flushPack(): void {
    const pack = this.pack;
    const size = this.packSize;
    this.pack = [];
    this.packSize = 0;
    if (pack.length === 0) return;
    const task = this.send(pack, size)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.sending.delete(task);
        this.release(size);
      });
    this.sending.add(task);
  }

  private async send(chunks: CutChunk[], size: number): Promise<void> {
    const hash = createHash('sha256');
    let offset = 0;
    const list = chunks.map((chunk) => {
      hash.update(chunk.data);
      offset += chunk.size;
      return { hash: chunk.hash, offset: offset - chunk.size, size: chunk.size };
    });
    const body = { sha256: hash.digest('hex'), size, chunks: list, attempt: this.options.attempt };
    const parts = chunks.map((chunk) => chunk.data);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.trySend(body, parts);
      } catch (error) {
        if (attempt >= tries || !isPassing(error)) throw error;
        await backOff(attempt, this.options.signal);
      }
    }
  }

  /** Announces the pack anew on every try: its signed URL may have run out. */
  private async trySend(body: PackBody, parts: Buffer[]): Promise<void> {
    const { client, signal, attempt } = this.options;
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
      this.sentBytes += body.size;
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

type PackBody = {
  sha256: string;
  size: number;
  chunks: { hash: string; offset: number; size: number }[];
  attempt?: AttemptProof;
};
