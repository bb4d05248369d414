import { closeSync, type FSWatcher, fstatSync, openSync, read as readFd, watch } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inBytes } from '../bytes.js';
import { isDiskFull } from '../disk/room.js';
import { HeadFreer } from './give-back.js';
import { LineSplitter } from './line-splitter.js';
import type { LogBook } from './log-book.js';

const read = promisify(readFd);
const readBytes = 256 * 1024;
/** The watch wakes at once; the poll is for file systems that don't tell. */
const pollMs = 50;
/** How long the end of a job waits for room on a full disk: half a minute. */
const againMs = 500;
const triesAtEnd = 60;
/** Of the log of a job that was ended for what it wrote, so much that isn't read yet is kept, and said of the rest that it isn't. */
const keptOfFlood = 16 * 2 ** 20;

/** Follows the file a job writes to, from the last numbered line on, and puts its lines into the book. */
export class LogTail {
  #book: LogBook;
  #file: string;
  #splitter: LineSplitter;
  #position: number;
  #fd: number | null = null;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> = Promise.resolve();
  #waiting = false;
  #givenUp = 0;
  #freer: HeadFreer;
  #onFailure: (error: unknown) => void;
  #buffer = Buffer.allocUnsafe(readBytes);

  /** @param onFailure told when the file can't be read; the tail is then over. */
  constructor(file: string, book: LogBook, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#book = book;
    this.#position = book.offset;
    this.#splitter = new LineSplitter(book.offset);
    this.#freer = new HeadFreer(file);
    this.#onFailure = onFailure;
  }

  start(): void {
    this.#watcher = watch(this.#file, () => this.#look());
    this.#watcher.on('error', this.#onFailure);
    this.#timer = setInterval(() => this.#look(), pollMs);
    this.#look();
  }

  /**
   * Reads what is there, the last line without a newline too.
   * @param isFlood whether the job was ended for using the disk up: then a long rest of it is given up, which makes room
   */
  async finish(isFlood: () => boolean): Promise<void> {
    this.#stop();
    await this.#reading;
    for (let tries = 1; ; tries++) {
      try {
        if (isFlood()) await this.#giveUpRest(keptOfFlood);
        await this.#readOn();
        this.#book.job(this.#splitter.end());
        if (this.#givenUp > 0)
          this.#book.system(`the last ${inBytes(this.#givenUp)} of the log are not kept`);
        break;
      } catch (error) {
        if (!isDiskFull(error) || tries === triesAtEnd) throw error;
        this.#goBack();
        if (isFlood()) await this.#giveUpRest(0);
        await sleep(againMs);
      }
    }
    this.#book.draw(null);
  }

  async #giveUpRest(kept: number): Promise<void> {
    const { size } = await stat(this.#file);
    const from = this.#position + kept;
    if (size <= from) return;
    await truncate(this.#file, from);
    this.#givenUp += size - from;
  }

  /** Begins anew behind the last line that is numbered. */
  #goBack(): void {
    this.#position = this.#book.offset;
    this.#splitter = new LineSplitter(this.#book.offset);
  }

  /** Stops looking, without reading on, and lets go of the file. */
  async close(): Promise<void> {
    this.#stop();
    await this.#reading;
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#reading = this.#reading.then(async () => {
      this.#waiting = false;
      await this.#readOn().catch((error: unknown) => {
        // The lines wait in the job's own file for the disk to have room again.
        if (isDiskFull(error)) return this.#goBack();
        this.#stop();
        this.#onFailure(error);
      });
    });
  }

  async #readOn(): Promise<void> {
    this.#fd ??= openSync(this.#file, 'r');
    // Most looks find nothing new: the size says so at once.
    while (fstatSync(this.#fd).size > this.#position) {
      const { bytesRead } = await read(this.#fd, this.#buffer, 0, readBytes, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#book.job(this.#splitter.feed(this.#buffer.subarray(0, bytesRead)));
      this.#book.draw(this.#splitter.drawn || null);
      this.#freer.consumed(this.#book.offset);
      // A job that prints without end must not hold up heartbeats and stops.
      await breathe();
    }
  }
}
