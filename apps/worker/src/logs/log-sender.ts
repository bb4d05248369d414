import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  type AttemptProof,
  type Client,
  maxLastLines,
  maxLinesPerBatch,
  type SentLine,
  workerRoutes,
} from '@mycloud/shared';
import { Pause } from '../pause.js';
import { answered, isPassing } from '../retry.js';
import type { LogBook, NumberedLine } from './log-book.js';

const batchEveryMs = 50;
const progressEveryMs = 100;
/** What the system says waits so long for lines of the job, or for its end, to go with. */
const systemMs = 50;
/** As bytes of the spool. */
const maxLastBytes = 64 * 1024;

/** Lines that go with the end of their attempt. */
export interface LastLines {
  firstSeq: number;
  lines: SentLine[];
}

/** Sends the book's lines in order, a job's first ones at once, then in batches; the api's number is the truth. */
export class LogSender {
  #client: Client;
  #proof: AttemptProof;
  #book: LogBook;
  #position: number;
  #sentProgress: string | null = null;
  #wakeUp: (() => void) | null = null;
  #pause = new Pause();
  #stopped = new AbortController();
  #draining = false;
  /** What is left at the end may go with it, instead of in a call of its own. */
  #leavesRest = false;
  /** What waits to be sent may not wait any longer. */
  #due: boolean;
  #holdsBack = false;
  #done: Promise<void>;
  #onFailure: (error: unknown) => void;

  /** @param onFailure told once when the api refuses lines for good (the lease is over): sending is then over. */
  constructor(client: Client, proof: AttemptProof, book: LogBook, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#proof = proof;
    this.#book = book;
    this.#position = book.spool.acked;
    // What an earlier worker left.
    this.#due = this.#position < book.spool.size;
    this.#onFailure = onFailure;
    book.onChange((ofJob) => {
      if (ofJob) this.#due = true;
      if (ofJob && this.#holdsBack) this.#pause.end();
      this.#wake();
    });
    this.#done = this.#start();
  }

  /** Resolves when every line of the book is stored, however long the api is away. */
  async drain(): Promise<void> {
    this.#leavesRest = false;
    await this.#end();
    if (this.#position === this.#book.spool.size) return;
    // Its end was to carry a rest, and could not.
    this.#done = this.#start();
    await this.#done;
  }

  /** Sends all but a short rest. @returns the rest, for the end of the attempt to carry; null when there is none */
  async rest(): Promise<LastLines | null> {
    this.#leavesRest = true;
    await this.#end();
    const { records } = this.#book.spool.read(this.#position, maxLastLines);
    const [first] = records;
    return first ? { firstSeq: first.seq, lines: records.map(toSent) } : null;
  }

  async #end(): Promise<void> {
    this.#draining = true;
    this.#pause.end();
    this.#wake();
    await this.#done;
  }

  stop(): void {
    this.#stopped.abort();
    this.#pause.end();
    this.#wake();
  }

  #wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = null;
  }

  /** Few enough lines for the end to carry. */
  get #isShort(): boolean {
    const { spool } = this.#book;
    if (spool.size - this.#position > maxLastBytes) return false;
    return spool.read(this.#position, maxLastLines).end === spool.size;
  }

  get #hasWork(): boolean {
    return this.#position < this.#book.spool.size || this.#book.progress !== this.#sentProgress;
  }

  #start(): Promise<void> {
    return this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#onFailure(error);
    });
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
      if (this.#draining && this.#leavesRest && this.#isShort) return;
      if (hasLines && !this.#due && !this.#draining) {
        this.#holdsBack = true;
        await this.#pause.wait(systemMs);
        this.#holdsBack = false;
        this.#due = true;
        continue;
      }
      try {
        this.#due = false;
        const full = await this.#sendOnce(signal);
        failures = 0;
        this.#due ||= this.#position < this.#book.spool.size;
        if (!full && !this.#draining) {
          await this.#pause.wait(hasLines ? batchEveryMs : progressEveryMs);
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
