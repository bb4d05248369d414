import type { SentLine } from '@mycloud/shared';
import type { SplitLine } from './line-splitter.js';
import { Spool } from './spool.js';

/** A numbered line as it waits to be sent. */
export interface NumberedLine extends SentLine {
  seq: number;
  /** Where the job's log file goes on after it. */
  offset: number;
}

/**
 * Numbers the lines of an attempt, the job's and the system's in one sequence, and spools them.
 * Holds: seq has no gaps and no repeats, across restarts of the worker too, since a number exists once it is spooled.
 */
export class LogBook {
  readonly spool: Spool<NumberedLine>;
  #lastSeq = 0;
  #offset = 0;
  #listeners = new Set<(ofJob: boolean) => void>();
  /** The last lines of the job, for what a shell said last. */
  readonly recent: string[] = [];
  progress: string | null = null;

  #onJobLine: (text: string, time: number) => void;

  /** @param onJobLine told of each line of the job, once it is numbered. */
  constructor(file: string, onJobLine: (text: string, time: number) => void) {
    this.#onJobLine = onJobLine;
    this.spool = new Spool(file);
    const last = this.spool.last();
    this.#lastSeq = last?.seq ?? 0;
    this.#offset = last?.offset ?? 0;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Bytes of the job's log that are numbered. */
  get offset(): number {
    return this.#offset;
  }

  system(text: string): void {
    const lines = text.split('\n');
    this.#append(
      lines.map((line) => ({ text: line.slice(0, 4000), source: 'system' as const, offset: this.#offset })),
    );
  }

  job(lines: readonly SplitLine[]): void {
    for (const line of lines.slice(-5)) this.recent.push(line.text);
    this.recent.splice(0, this.recent.length - 5);
    this.#append(
      lines.map(({ text, more, end }) => ({
        text,
        source: 'job' as const,
        offset: end,
        ...(more ? { more: true } : {}),
      })),
    );
  }

  /** The line being drawn; null when there is none. */
  draw(text: string | null): void {
    if (text === this.progress) return;
    this.progress = text;
    this.#tell(true);
  }

  /** @param listener told whether there is something new of the job itself */
  onChange(listener: (ofJob: boolean) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.spool.close();
  }

  #append(lines: Omit<NumberedLine, 'seq' | 'time'>[]): void {
    if (lines.length === 0) return;
    const time = Date.now();
    let seq = this.#lastSeq;
    this.spool.append(lines.map((line) => ({ ...line, seq: ++seq, time })));
    this.#lastSeq = seq;
    this.#offset = lines.at(-1)?.offset ?? this.#offset;
    for (const line of lines) if (line.source === 'job') this.#onJobLine(line.text, time);
    this.#tell(lines.some((line) => line.source === 'job'));
  }

  #tell(ofJob: boolean): void {
    for (const listener of this.#listeners) listener(ofJob);
  }
}
