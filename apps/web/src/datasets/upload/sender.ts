import { AppError } from '@mycloud/shared/browser';
import { backOff, isPassing, Limit, slabBytes, tries, withRetry } from '@mycloud/snapshots/browser';
import { call } from '../../api/call.js';
import type { CutChunk } from './chunks.js';
import { putPack } from './put-pack.js';
import { sha256Hex } from './sha256.js';

/** Packs sent at the same time; a page shares six connections with its streams. */
const concurrency = 3;
/** Well under what one call may list. */
const packChunks = 8192;

/**
 * Asks which chunks the owner lacks and sends those in packs, each committed when it is sent: what an upload that breaks off
 * has sent counts as stored for the next one. Holds at most `concurrency` packs and one that is being filled.
 */
export class Sender {
  sentBytes = 0;
  private readonly known = new Set<string>();
  private readonly limit = new Limit(concurrency);
  private readonly under = new Set<Promise<void>>();
  private pack: CutChunk[] = [];
  private packBytes = 0;
  private failure: { error: unknown } | undefined;

  /** @param owner for whom it is stored: the user, or a team of his */
  constructor(
    private readonly owner: string,
    private readonly onSent: (bytes: number) => void,
  ) {}

  /** Takes chunks; waits while as many packs are under way as may be. @throws what went wrong with any so far */
  async add(chunks: readonly CutChunk[]): Promise<void> {
    const fresh = chunks.filter(({ hash }) => !this.known.has(hash) && this.known.add(hash));
    if (fresh.length === 0) return;
    const body = { hashes: fresh.map(({ hash }) => hash), owner: this.owner };
    const { missing } = await withRetry(() => call('POST /v1/chunks/missing', { body }));
    const wanted = new Set(missing);
    for (const chunk of fresh) {
      if (!wanted.has(chunk.hash)) continue;
      // A copy: a chunk is a part of a slab, which would stay as long as any chunk of it.
      this.pack.push({ ...chunk, bytes: chunk.bytes.slice() });
      this.packBytes += chunk.size;
      if (this.packBytes >= slabBytes || this.pack.length >= packChunks) await this.flush();
    }
  }

  /** When it returns, every chunk given is stored. */
  async finish(): Promise<void> {
    await this.flush();
    await Promise.all(this.under);
    this.check();
  }

  private check(): void {
    if (this.failure) throw this.failure.error;
  }

  private async flush(): Promise<void> {
    this.check();
    const chunks = this.pack;
    this.pack = [];
    this.packBytes = 0;
    if (chunks.length === 0) return;
    const task: Promise<void> = this.limit
      .run(() => this.send(chunks))
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.under.delete(task));
    this.under.add(task);
    // One too many waits for its turn: until then nothing more is read.
    while (this.under.size > concurrency) await Promise.race(this.under);
  }

  private async send(chunks: CutChunk[]): Promise<void> {
    const bytes = new Blob(chunks.map((chunk) => chunk.bytes));
    const checksum = `sha256:${await sha256Hex(new Uint8Array(await bytes.arrayBuffer()))}`;
    let offset = 0;
    const listed = chunks.map(({ hash, size }) => {
      offset += size;
      return { hash, size, offset: offset - size };
    });
    for (let attempt = 1; ; attempt += 1) {
      this.check();
      try {
        return await this.trySend({ checksum, size: bytes.size, chunks: listed }, bytes);
      } catch (error) {
        if (attempt >= tries || !isPassing(error)) throw error;
        await backOff(attempt);
      }
    }
  }

  /** Announces the pack anew on every try: its signed URL may have run out. */
  private async trySend(
    body: { checksum: string; size: number; chunks: { hash: string; size: number; offset: number }[] },
    bytes: Blob,
  ): Promise<void> {
    const { id, upload } = await call('POST /v1/packs', { body: { ...body, owner: this.owner } });
    if (!id || !upload) return;
    await putPack(upload, bytes, this.onSent);
    await call('POST /v1/packs/:id/commit', { params: { id }, body: { owner: this.owner } }).catch(
      (error: unknown) => {
        this.onSent(-bytes.size);
        // The bytes didn't arrive as they were sent: worth another try.
        if (!(error instanceof AppError && error.code === 'bad_request')) throw error;
        throw new AppError('unavailable', `the store did not get a pack whole: ${error.message}`, {
          cause: error,
        });
      },
    );
    this.sentBytes += bytes.size;
  }
}
