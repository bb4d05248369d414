import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { appendWhole, readJson, writeJson } from '../atomic-file.js';
import { isDiskFull } from '../disk/room.js';
import { HeadFreer } from './give-back.js';

const cursorSchema = z.object({ position: z.number().int(), sendingTo: z.number().int().nullable() });

/** No record is longer. */
const windowBytes = 2 ** 20;

/** Some records and where they lie in the spool. */
export interface Batch<T> {
  records: T[];
  /** Bytes in the spool. */
  start: number;
  end: number;
}

/**
 * Records on disk between where they are made and where they are acknowledged: nothing is lost or repeated when the
 * worker is killed or the api is away, and memory doesn't grow. One JSON line a record; appended before it is sent.
 */
export class Spool<T> {
  readonly file: string;
  /** Opened by the first record: most jobs have no metrics. */
  #fd: number | null = null;
  #size = 0;
  #cursorFile: string;
  #freer: HeadFreer;
  #acked = 0;
  /** What the cursor's file says is acknowledged. */
  #kept = 0;
  /** End of a batch that was being sent when an earlier worker died: it is sent again with the same bounds. */
  #resendTo: number | null = null;

  constructor(file: string) {
    this.file = file;
    this.#cursorFile = `${file}.cursor`;
    this.#freer = new HeadFreer(file);
    if (!existsSync(file)) return;
    this.#fd = openSync(file, 'a+');
    this.#size = fstatSync(this.#fd).size;
    const cursor = readJson(this.#cursorFile);
    if (cursor !== undefined) {
      const { position, sendingTo } = cursorSchema.parse(cursor);
      this.#acked = position;
      this.#kept = position;
      this.#resendTo = sendingTo;
    }
    this.#cutTornEnd(this.#fd);
  }

  /** Bytes written. */
  get size(): number {
    return this.#size;
  }

  /** Bytes acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** All of them or none. @throws as the system does, on a full disk too */
  append(records: readonly T[]): void {
    if (records.length === 0) return;
    let text = '';
    for (const record of records) text += `${JSON.stringify(record)}\n`;
    const bytes = Buffer.from(text);
    this.#fd ??= openSync(this.file, 'a+');
    appendWhole(this.#fd, bytes, this.#size);
    this.#size += bytes.length;
  }

  /** Up to `limit` records from `position`, about `maxBytes` long but at least one record. */
  read(position: number, limit: number, maxBytes = windowBytes): Batch<T> {
    const known = this.#resendTo !== null && position < this.#resendTo ? this.#resendTo : this.#size;
    for (let length = maxBytes; ; length *= 2) {
      const want = Math.min(length, known - position);
      const bytes = this.#bytes(position, want);
      const batch = parse<T>(bytes, position, limit);
      if (batch.records.length > 0 || want === known - position) return batch;
    }
  }

  /** To be called before a batch travels whose receiver knows it by its bounds. */
  sending(batch: Batch<T>): void {
    this.#resendTo = batch.end;
    this.#keep(batch.start, batch.end);
  }

  /**
   * What lies before `position` is stored elsewhere and never needed again. Kept now and then: with an older cursor a
   * worker that starts now sends again what is stored, which is harmless and costs less than a file a batch.
   */
  ack(position: number): void {
    this.#acked = position;
    if (this.#resendTo !== null && position >= this.#resendTo) this.#resendTo = null;
    if (position - this.#kept < windowBytes) return;
    try {
      this.#keep(position, null);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    // The last record stays readable: numbering goes on from it.
    this.#freer.consumed(this.#kept - windowBytes);
  }

  #keep(position: number, sendingTo: number | null): void {
    writeJson(this.#cursorFile, { position, sendingTo });
    this.#kept = position;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }

  /** The last record ever appended. */
  last(): T | undefined {
    const window = Math.min(this.#size, windowBytes);
    const tail = this.#bytes(this.#size - window, window);
    const start = tail.lastIndexOf(10, tail.length - 2) + 1;
    return tail.length === 0 ? undefined : (JSON.parse(tail.toString('utf8', start)) as T);
  }

  #bytes(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (this.#fd !== null && done < length) {
      const read = readSync(this.#fd, bytes, done, length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  }

  /** A worker killed in the middle of a write leaves half a record: it was never sent, and is made again. */
  #cutTornEnd(fd: number): void {
    const window = Math.min(this.#size, windowBytes);
    const tail = this.#bytes(this.#size - window, window);
    const whole = this.#size - window + tail.lastIndexOf(10) + 1;
    if (window > 0 && whole < this.#size) {
      ftruncateSync(fd, whole);
      this.#size = whole;
    }
  }
}

function parse<T>(bytes: Buffer, start: number, limit: number): Batch<T> {
  const records: T[] = [];
  let at = 0;
  while (records.length < limit) {
    const end = bytes.indexOf(10, at);
    if (end === -1) break;
    records.push(JSON.parse(bytes.toString('utf8', at, end)) as T);
    at = end + 1;
  }
  return { records, start, end: start + at };
}
