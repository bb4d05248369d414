import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { inBytes, ofBytes } from '../bytes.js';
import { diskUsage } from './usage.js';

/** What is left is asked often, since that costs nothing; what each job has, seldom. */
const leftEveryMs = 200;
const usedEveryMs = 2000;
/** Looking takes at most this share of the time, however many files jobs have. */
const shareOfTime = 1 / 20;

export interface DiskGuardOptions {
  /** On the disk that is watched. */
  home: string;
  /** Bytes a job may have on it, its inputs not counted. */
  jobBytes: number;
  /** Bytes that are to stay free for what the worker itself must write: lines, metrics, states. */
  reserveBytes: number;
  /** Asked before a job is ended for a disk that is nearly full. @returns whether that brought anything */
  makeRoom: () => Promise<boolean>;
  log: Logger;
}

interface Watched {
  dir: string;
  used: number;
  onOver: OnOver;
}

/** Ends the job. @param detail what it used @param graceSeconds how long it may go on */
type OnOver = (detail: string, graceSeconds: number) => void;

/**
 * Looks how much of the disk each running job takes. One over its limit is ended, and where the disk is nearly full the
 * largest of those that could have filled it, before the others and the worker find no room for their lines.
 */
export class DiskGuard {
  #options: DiskGuardOptions;
  #watched = new Set<Watched>();
  #looking = false;

  constructor(options: DiskGuardOptions) {
    this.#options = options;
  }

  /** @param dir folder of the attempt. @returns ends the watch */
  watch(dir: string, onOver: OnOver): () => void {
    const watched = { dir, used: 0, onOver };
    this.#watched.add(watched);
    void this.#look();
    return () => this.#watched.delete(watched);
  }

  /**
   * Whether it was this job that filled the disk, which it may do, and end by it, before anybody looks.
   * @returns what it used; null: it was not
   */
  async filledBy(dir: string): Promise<string | null> {
    const left = await this.#left();
    if (left >= this.#options.reserveBytes) return null;
    const used = await diskUsage(dir, ['inputs']);
    const others = [...this.#watched].filter((watched) => watched.dir !== dir);
    const most = used >= this.#options.reserveBytes && others.every((other) => other.used <= used);
    return most ? filled(left, used) : null;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    let lookedAt = 0;
    let restMs = 0;
    while (this.#watched.size > 0) {
      try {
        const left = await this.#left();
        const low = left < this.#options.reserveBytes;
        const began = Date.now();
        if (began >= lookedAt + (low ? restMs : Math.max(restMs, usedEveryMs))) {
          await this.#lookAtJobs();
          lookedAt = Date.now();
          restMs = (lookedAt - began) / shareOfTime;
        }
        if (low && !(await this.#options.makeRoom())) this.#endLargest(left);
      } catch (error) {
        this.#options.log.warn({ err: error }, 'a job that uses much of the disk could not be ended');
      }
      await sleep(leftEveryMs, undefined, { ref: false });
    }
    this.#looking = false;
  }

  async #left(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.home);
    return bavail * bsize;
  }

  async #lookAtJobs(): Promise<void> {
    const { jobBytes } = this.#options;
    for (const watched of this.#watched) {
      watched.used = await diskUsage(watched.dir, ['inputs']);
      if (watched.used > jobBytes) this.#end(watched, `used ${ofBytes(watched.used, jobBytes)}`, 1);
    }
  }

  #endLargest(left: number): void {
    const largest = [...this.#watched].sort((a, b) => b.used - a.used)[0];
    // Where jobs have little, something else has filled it.
    if (!largest || largest.used < this.#options.reserveBytes) return;
    this.#end(largest, filled(left, largest.used), 0);
  }

  #end(watched: Watched, detail: string, graceSeconds: number): void {
    if (this.#watched.delete(watched)) watched.onOver(detail, graceSeconds);
  }
}

const filled = (left: number, used: number): string =>
  `the worker's disk has ${inBytes(left)} left and this job used most of it, ${inBytes(used)}`;
