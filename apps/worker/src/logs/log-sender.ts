import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type AttemptProof, type Client, maxLinesPerBatch, workerRoutes } from '@mycloud/shared';
import { answered, isPassing } from '../retry.js';
import type { LogBook, NumberedLine } from './log-book.js';

const batchEveryMs = 50;
const progressEveryMs = 100;

/** Sends the book's lines in order, the first ones at once, then in batches; the api's number is the truth. */
export class LogSender {
  #client: Client;
  #proof: AttemptProof;
  #book: LogBook;
  #position: number;
  #sentProgress: string | null = null;
  #wakeUp: (() => void) | null = null;
  #stopped = new AbortController();
  #draining = false;
  #done: Promise<void>;

  /** @param onFailure told once when the api refuses lines for good (the lease is over): sending is then over. */
  constructor(client: Client, proof: AttemptProof, book: LogBook, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#proof = proof;
    this.#book = book;
    this.#position = book.spool.acked;
    book.onChange(() => this.#wake());
    this.#done = this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) onFailure(error);
    });
  }

  /** Resolves when every line of the book is stored, however long the api is away. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#wake();
    await this.#done;
  }

  stop(): void {
    this.#stopped.abort();
    this.#wake();
  }

  #wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = null;
  }

  get #hasWork(): boolean {
    return this.#position < this.#book.spool.size || this.#book.progress !== this.#sentProgress;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      const hasLines = this.#position < this.#book.spool.size;
      if (!this.#hasWork || (this.#draining && !hasLines)) {
        if (this.#draining) return;
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
        });
        continue;
      }
      try {
        const full = await this.#sendOnce(signal);
        failures = 0;
        if (!full && !this.#draining) {
          await sleep(hasLines ? batchEveryMs : progressEveryMs, undefined, { signal });
        }
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        failures += 1;
        await sleep(Math.min(100 * 2 ** failures, 5000), undefined, { signal });
      }
    }
  }

  /** @returns whether the batch was as large as one may be, so that more should follow at once. */
  async #sendOnce(signal: AbortSignal): Promise<boolean> {
    const batch = this.#book.spool.read(this.#position, maxLinesPerBatch);
    const first = batch.records[0];
    const firstSeq = first?.seq ?? this.#book.lastSeq + 1;
    const progress = this.#book.progress;
    const { jobId, attempt, fence } = this.#proof;
    try {
      const body = {
        attempt,
        fence,
        firstSeq,
        lines: batch.records.map(toSent),
        ...(progress === this.#sentProgress ? {} : { progress: progress ?? '' }),
      };
      const { lastSeq } = await answered(
        (limit) => this.#client.call(workerRoutes.logs, { params: { jobId }, body }, { signal: limit }),
        signal,
      );
      this.#sentProgress = progress;
      const last = batch.records.at(-1)?.seq ?? 0;
      if (lastSeq < last) return this.#goTo(lastSeq + 1);
      this.#position = batch.end;
      if (first) this.#book.spool.ack(batch.end);
      return batch.end < this.#book.spool.size && batch.records.length >= maxLinesPerBatch / 2;
    } catch (error) {
      const expected = error instanceof AppError && error.code === 'log_gap' ? error.details?.expected : null;
      if (typeof expected !== 'number') throw error;
      return this.#goTo(expected);
    }
  }

  /** Goes to where line `seq` begins in the spool. @throws when it was acknowledged before: its bytes may be given back. */
  #goTo(seq: number): true {
    const { spool } = this.#book;
    for (let at = spool.acked; at < spool.size; ) {
      const batch = spool.read(at, maxLinesPerBatch);
      const found = batch.records.findIndex((line) => line.seq >= seq);
      if (found >= 0) {
        if (batch.records[found]?.seq !== seq) {
          throw new AppError('conflict', `the api asks for line ${seq} again, which it had acknowledged`);
        }
        const before = batch.records.slice(0, found);
        this.#position = at + before.reduce((sum, line) => sum + recordBytes(line), 0);
        return true;
      }
      at = batch.end;
    }
    this.#position = spool.size;
    return true;
  }
}

const toSent = ({ text, time, source, more }: NumberedLine) => ({ text, time, source, more });
const recordBytes = (line: NumberedLine): number => Buffer.byteLength(`${JSON.stringify(line)}\n`);
