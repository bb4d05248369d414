import type { LogLine } from '@mycloud/shared/browser';
import { call } from '../api/call.js';
import type { JobRef } from '../api/queries.js';

const blockLines = 500;
/** Blocks held at once, 100,000 lines; those used longest ago go first. */
const mostBlocks = 200;

export interface Place {
  attempt: number;
  seq: number;
}

/**
 * A log of any length, of which only the blocks that were looked at are held: attempts follow one another, and every line has
 * an index from 0. Components listen by `subscribe` and read `version`.
 */
export class LogStore {
  version = 0;
  /** The line that is being drawn, such as a progress bar. */
  progress = '';
  error: unknown;
  private attempts: { attempt: number; lines: number }[] = [];
  private readonly blocks = new Map<string, LogLine[]>();
  private readonly asked = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private frame = 0;

  constructor(private readonly at: JobRef) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get total(): number {
    return this.attempts.reduce((sum, { lines }) => sum + lines, 0);
  }

  get severalAttempts(): boolean {
    return this.attempts.length > 1;
  }

  /** The place after which everything is new. */
  get end(): Place {
    const last = this.attempts.at(-1);
    return last ? { attempt: last.attempt, seq: last.lines } : { attempt: 0, seq: 0 };
  }

  async readAttempts(): Promise<void> {
    const answer = await call('GET /v1/projects/:owner/:project/jobs/:number/logs/attempts', {
      params: this.at,
    });
    this.attempts = answer.items;
    this.changed();
  }

  placeOf(index: number): Place | undefined {
    let left = index;
    for (const { attempt, lines } of this.attempts) {
      if (left < lines) return { attempt, seq: left + 1 };
      left -= lines;
    }
    return undefined;
  }

  indexOf({ attempt, seq }: Place): number {
    let before = 0;
    for (const one of this.attempts) {
      if (one.attempt === attempt) return before + Math.min(seq, one.lines) - 1;
      before += one.lines;
    }
    return -1;
  }

  /** undefined: not got yet. */
  line(index: number): LogLine | undefined {
    const place = this.placeOf(index);
    return place && this.blocks.get(keyOf(place))?.[(place.seq - 1) % blockLines];
  }

  /** Gets the blocks of these lines that aren't held. */
  want(from: number, to: number): void {
    for (let index = from; index <= to; ) {
      const place = this.placeOf(index);
      if (!place) return;
      if (!this.line(index)) void this.read(place);
      index += blockLines - ((place.seq - 1) % blockLines);
    }
    if (!this.line(to)) {
      const place = this.placeOf(to);
      if (place) void this.read(place);
    }
  }

  /** Takes lines as they come, in order. */
  add(lines: LogLine[]): void {
    for (const line of lines) {
      let last = this.attempts.at(-1);
      if (!last || line.attempt > last.attempt) {
        last = { attempt: line.attempt, lines: 0 };
        this.attempts.push(last);
      }
      if (line.attempt !== last.attempt || line.seq <= last.lines) continue;
      last.lines = line.seq;
      const place = (line.seq - 1) % blockLines;
      const block = this.blocks.get(keyOf(line));
      if (block && block.length === place) block.push(line);
      else if (!block && place === 0) this.hold(keyOf(line), [line]);
    }
    this.progress = '';
    this.changed();
  }

  draw(text: string): void {
    this.progress = text;
    this.changed();
  }

  private async read(place: Place): Promise<void> {
    const key = keyOf(place);
    if (this.asked.has(key)) return;
    this.asked.add(key);
    const first = Math.floor((place.seq - 1) / blockLines) * blockLines;
    try {
      const { lines } = await call('GET /v1/projects/:owner/:project/jobs/:number/logs', {
        params: this.at,
        query: { after: `${place.attempt}.${first}`, limit: blockLines },
      });
      const got = lines.filter((line) => line.attempt === place.attempt);
      const held = this.blocks.get(key);
      if (!held || held.length < got.length) this.hold(key, got);
      this.error = undefined;
    } catch (error) {
      this.error = error;
    } finally {
      this.asked.delete(key);
      this.changed();
    }
  }

  private hold(key: string, lines: LogLine[]): void {
    this.blocks.delete(key);
    this.blocks.set(key, lines);
    for (const oldest of this.blocks.keys()) {
      if (this.blocks.size <= mostBlocks) break;
      this.blocks.delete(oldest);
    }
  }

  /** However fast lines come, they are shown once a frame. */
  private changed(): void {
    this.version += 1;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const tell of this.listeners) tell();
    });
  }
}

const keyOf = ({ attempt, seq }: Place): string => `${attempt}.${Math.floor((seq - 1) / blockLines)}`;
