import path from 'node:path';
import type { MetricPoint } from '@mycloud/shared';
import { createEventReader, type EventReader, type EventRecord, findEventFiles } from '@mycloud/tfevents';
import { z } from 'zod';
import { readJson, writeJson } from '../atomic-file.js';

const everyMs = 2000;
const countsSchema = z.record(z.string(), z.number().int());

/**
 * Reads TensorBoard event files below a job's output as they grow and gives their scalars as metrics, named
 * `<folder>/<tag>` as TensorBoard names runs. How many records were taken is kept, so that a restart takes none twice.
 */
export class EventMetrics {
  #dir: string;
  #countsFile: string;
  #add: (points: MetricPoint[]) => void;
  #onFailure: (error: unknown) => void;
  #readers = new Map<string, { reader: EventReader; seen: number }>();
  #taken: Record<string, number>;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> = Promise.resolve();

  /** @param onFailure told when they can't be read */
  constructor(
    dir: string,
    countsFile: string,
    add: (points: MetricPoint[]) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#dir = dir;
    this.#countsFile = countsFile;
    this.#add = add;
    this.#onFailure = onFailure;
    this.#taken = countsSchema.parse(readJson(countsFile) ?? {});
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#look()
        .then(() => {
          if (this.#timer) this.start();
        })
        .catch(this.#onFailure);
    }, everyMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Takes what is left. */
  async finish(): Promise<void> {
    this.stop();
    await this.#look();
  }

  #look(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readAll());
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    for (const file of await findEventFiles(this.#dir)) {
      const name = path.relative(this.#dir, file);
      const entry = this.#readers.get(name) ?? { reader: createEventReader(file), seen: 0 };
      this.#readers.set(name, entry);
      do {
        const records = await entry.reader.read();
        const known = Math.max(0, (this.#taken[name] ?? 0) - entry.seen);
        entry.seen += records.length;
        const fresh = records.slice(known);
        if (fresh.length === 0) continue;
        this.#add(fresh.flatMap((record) => pointsOf(record, path.dirname(name))));
        this.#taken[name] = entry.seen;
        writeJson(this.#countsFile, this.#taken);
      } while (entry.reader.more);
    }
  }
}

/** Milliseconds of the year 9999: what the server takes of a time ends there. */
const lastMoment = 253_402_300_799_999;

/** What a program wrote is anything: one point that the server refuses would hold up all that come after it. */
function pointsOf(record: EventRecord, folder: string): MetricPoint[] {
  const time = Math.round(record.wallTime * 1000);
  return record.scalars.map(({ tag, value }) => ({
    name: (folder === '.' ? tag : `${folder}/${tag}`).slice(0, 200) || 'scalar',
    step: Number.isSafeInteger(record.step) ? record.step : null,
    value: Number.isFinite(value) ? value : null,
    time: time >= 0 && time <= lastMoment ? time : Date.now(),
  }));
}
