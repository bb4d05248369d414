import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { encodeHistogram } from './histogram.js';
import { field, message } from './proto.js';
import { frameRecord } from './records.js';

export interface EventWriter {
  /** The file that is written. */
  readonly path: string;
  /** `wallTime` in seconds since 1970. */
  scalar(tag: string, value: number, step: number, wallTime?: number): void;
  histogram(tag: string, data: Float32Array, step: number): void;
  /** channels: 1 grey, 3 RGB, 4 RGBA. */
  image(tag: string, png: Uint8Array, height: number, width: number, channels: number, step: number): void;
  /** Takes a GraphDef, as encodeGraph makes it. */
  graph(graphDef: Uint8Array): void;
  /** What was given so far is in the file. Rejects with the reason when writing fails, now or before. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_MS = 2000;
const FLUSH_BYTES = 1 << 20;
let written = 0;

const now = () => Date.now() / 1000;

/**
 * Writes a new TensorBoard event file into `dir` (made when absent). Records are buffered and written at the
 * latest two seconds later; the timer doesn't keep the process alive, so call `close`.
 * Formats: tensorflow/core/util/event.proto, framework/summary.proto.
 */
export function createEventWriter(dir: string): EventWriter {
  mkdirSync(dir, { recursive: true });
  const name = `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}.${written++}`;
  const file = path.join(dir, name);
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  let handle: FileHandle | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function write(): Promise<void> {
    if (failure !== undefined || buffered.length === 0) return;
    const chunk = Buffer.concat(buffered);
    buffered = [];
    bufferedBytes = 0;
    try {
      handle ??= await open(file, 'a');
      await handle.appendFile(chunk);
    } catch (error) {
      failure = error; // told by the next flush or close
    }
  }

  function schedule(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }

  function add(...fields: Uint8Array[]): void {
    if (closed) throw new Error(`${file} is closed`);
    const record = frameRecord(message(...fields));
    buffered.push(record);
    bufferedBytes += record.length;
    if (bufferedBytes >= FLUSH_BYTES) void schedule();
    else timer ??= setTimeout(() => void schedule(), FLUSH_MS).unref();
  }

  const summary = (tag: string, step: number, wallTime: number, value: Uint8Array) =>
    add(
      field.double(1, wallTime),
      field.int(2, step),
      field.message(5, field.message(1, field.string(1, tag), value)),
    );

  async function flush(): Promise<void> {
    await schedule();
    if (failure !== undefined) throw failure;
  }

  add(field.double(1, now()), field.string(3, 'brain.Event:2'));
  return {
    path: file,
    scalar: (tag, value, step, wallTime = now()) => summary(tag, step, wallTime, field.float(2, value)),
    histogram: (tag, data, step) => summary(tag, step, now(), field.bytes(5, encodeHistogram(data))),
    image: (tag, png, height, width, channels, step) => {
      const sizes = [field.int(1, height), field.int(2, width), field.int(3, channels)];
      summary(tag, step, now(), field.message(4, ...sizes, field.bytes(4, png)));
    },
    graph: (graphDef) => add(field.double(1, now()), field.bytes(4, graphDef)),
    flush,
    async close() {
      closed = true;
      try {
        await flush();
      } finally {
        await handle?.close();
        handle = undefined;
      }
    },
  };
}
