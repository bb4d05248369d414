import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type Client, type Job, type LogLine, logRoutes, readEvents } from '@mycloud/shared';

const silenceMs = 15_000;

/** Follows a job's log as the command line does: goes on from its last line whenever the stream breaks off. */
export class Follower {
  /** `attempt.seq text` of each line, as it came. */
  readonly lines: LogLine[] = [];
  reconnects = 0;
  /** Resolves when it was told the end. */
  readonly done: Promise<void>;
  #leaving = new AbortController();

  constructor(
    readonly client: Client,
    readonly job: Job,
  ) {
    this.done = this.#follow();
  }

  leave(): void {
    this.#leaving.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      try {
        if (await this.#once()) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AppError && !['unavailable', 'internal'].includes(error.code)) throw error;
      }
      this.reconnects += 1;
      await sleep(100, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether the end was told */
  async #once(): Promise<boolean> {
    const silent = new AbortController();
    const last = this.lines.at(-1);
    const { owner, project, number } = this.job;
    let timer = setTimeout(() => silent.abort(), silenceMs);
    try {
      const response = await this.client.open(
        logRoutes.stream,
        { params: { owner, project, number } },
        {
          headers: last ? { 'last-event-id': `${last.attempt}.${last.seq}` } : {},
          signal: AbortSignal.any([this.#leaving.signal, silent.signal]),
        },
      );
      for await (const event of readEvents(response)) {
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), silenceMs);
        if (event.event === 'lines')
          this.lines.push(...(JSON.parse(event.data) as { lines: LogLine[] }).lines);
        if (event.event === 'end') return true;
      }
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
