import { AppError, type Job } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { Signal, StoredBatch } from '../hub.js';
import { viewJob } from '../jobs/view.js';
import { type Cursor, formatCursor, isBefore, linesJson, type StoredLine, startOfLog } from './lines.js';
import { endOfLog } from './read.js';

/** A stored batch, read and written out once for all followers. */
export interface LogFrame {
  attempt: number;
  firstSeq: number;
  lines: StoredLine[];
  bytes: Buffer;
}

/** What the newest batches of a job may hold in memory; older lines are read from the database by who needs them. */
const ringBytes = 4 * 1024 * 1024;
const retryMs = 1000;

/** Lines of one attempt as followers get them, the first of them numbered firstSeq. */
export function storedFrame(lines: readonly StoredLine[], attempt: number, firstSeq: number): Buffer {
  const id = formatCursor({ attempt, seq: firstSeq + lines.length - 1 });
  return Buffer.from(`event: lines\nid: ${id}\ndata: {"lines":${linesJson(lines, attempt, firstSeq)}}\n\n`);
}

/**
 * The newest lines and the state of one job, shared by all its followers in this api: a hundred of them cost one read.
 * It only speeds up what the database tells: a follower whose place isn't held here reads there.
 */
export class Feed {
  followers = 0;
  /** Grows with every change. */
  version = 0;
  end: Cursor = startOfLog;
  job: Job | undefined;
  progress: { text: string; version: number } = { text: '', version: 0 };
  deleted = false;
  private ring: LogFrame[] = [];
  private held = 0;
  private readonly stale = { job: true, lines: false };
  private running: Promise<void> | undefined;
  private readonly waiters = new Set<() => void>();

  constructor(
    private readonly deps: Deps,
    private readonly jobId: string,
  ) {}

  hear(signal: Signal): void {
    if (signal.type === 'progress') {
      this.progress = { text: signal.text, version: this.progress.version + 1 };
      this.changed();
    } else if (signal.type === 'logs') {
      // What this api has just stored needs no reading.
      if (signal.stored) this.take(signal.attempt, signal.stored);
      else this.refresh({ lines: true });
    } else if (signal.type === 'job') this.refresh({ job: true, lines: true });
  }

  /** Looks again; many calls at once are one look after the one that is under way. */
  refresh(what: { job?: boolean; lines?: boolean }): void {
    this.stale.job ||= what.job ?? false;
    this.stale.lines ||= what.lines ?? false;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.followers > 0 && !this.deleted && (this.stale.job || this.stale.lines)) this.refresh({});
    });
  }

  /** The held frame that has the line after this place. */
  frameAfter(cursor: Cursor): LogFrame | undefined {
    return this.ring.find(
      (f) =>
        f.attempt === cursor.attempt &&
        f.firstSeq <= cursor.seq + 1 &&
        cursor.seq < f.firstSeq + f.lines.length - 1,
    );
  }

  /** Resolves once something is newer than `seen`, or the signal is aborted. */
  async wait(seen: number, signal: AbortSignal): Promise<void> {
    if (this.version !== seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiters.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  private changed(): void {
    this.version += 1;
    for (const wake of [...this.waiters]) wake();
  }

  private async run(): Promise<void> {
    const { job, lines } = this.stale;
    this.stale.job = false;
    this.stale.lines = false;
    try {
      // The status is read before the end of the log: an ended job's last line can't be missed.
      const view = job ? await viewJob(this.deps, this.jobId) : this.job;
      if (lines) await this.readBatches();
      if (job) {
        const end = await endOfLog(this.deps, this.jobId);
        if (isBefore(this.end, end)) this.end = end;
      }
      this.job = view;
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') this.deleted = true;
      else {
        this.deps.log.warn({ err: error, jobId: this.jobId }, 'its log could not be read for followers');
        this.stale.job ||= job;
        this.stale.lines ||= lines;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
    this.changed();
  }

  private async readBatches(): Promise<void> {
    for (;;) {
      const { rows } = await this.deps.pool.query<{
        attempt: number;
        firstSeq: number;
        lines: StoredLine[];
      }>(
        `SELECT attempt, "firstSeq", lines FROM "LogBatch" WHERE "jobId" = $1 AND (attempt, "firstSeq") > ($2, $3)
         ORDER BY attempt, "firstSeq" LIMIT 20`,
        [this.jobId, this.end.attempt, this.end.seq],
      );
      for (const row of rows) this.take(row.attempt, row);
      if (rows.length < 20) return;
    }
  }

  /** Lines told twice, by the database and by who stored them, are taken once. A gap is read by who needs it. */
  private take(attempt: number, { firstSeq, lines }: StoredBatch): void {
    const end: Cursor = { attempt, seq: firstSeq + lines.length - 1 };
    if (!isBefore(this.end, end)) return;
    this.hold({ attempt, firstSeq, lines, bytes: storedFrame(lines, attempt, firstSeq) });
    this.end = end;
    this.changed();
  }

  private hold(next: LogFrame): void {
    this.ring.push(next);
    this.held += next.bytes.length;
    while (this.held > ringBytes && this.ring.length > 1) {
      this.held -= (this.ring.shift() as LogFrame).bytes.length;
    }
  }
}

/** The feeds of the jobs that are followed through this api now. */
export class Feeds {
  private readonly feeds = new Map<string, Feed>();
  private readonly ends: (() => void)[];

  constructor(private readonly deps: Deps) {
    this.ends = [
      deps.hub.subscribe((signal) => {
        if ('jobId' in signal) this.feeds.get(signal.jobId)?.hear(signal);
      }),
      deps.hub.onGap(() => {
        for (const feed of this.feeds.values()) feed.refresh({ job: true, lines: true });
      }),
    ];
  }

  /** Joins a job's feed, making it for its first follower. */
  join(jobId: string): Feed {
    let feed = this.feeds.get(jobId);
    if (!feed) {
      feed = new Feed(this.deps, jobId);
      this.feeds.set(jobId, feed);
    }
    feed.followers += 1;
    if (feed.followers === 1) feed.refresh({ job: true });
    return feed;
  }

  leave(jobId: string, feed: Feed): void {
    feed.followers -= 1;
    if (feed.followers === 0) this.feeds.delete(jobId);
  }

  close(): void {
    for (const end of this.ends) end();
  }
}
