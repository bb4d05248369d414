import { Worker } from 'node:worker_threads';
import { TrainerError } from '../errors.js';
import { threadFile } from '../thread-file.js';
import type { LoaderSetup, LoadReply, LoadRequest } from './jobs.js';

/** Pictures as a thread has made them. */
interface Batch extends Omit<Extract<LoadReply, { labels: Uint32Array }>, 'id'> {
  x: Float32Array;
  /** Gives its memory to a later batch. */
  release(): void;
}

/**
 * Threads that make batches, in memory that they share with who takes them: nothing is copied, and nothing is left for V8
 * to collect, which would look through the whole heap for every few batches. `load` answers when the batch is ready, in whichever order they end; a thread
 * that dies ends every batch it had with a TrainerError. The threads don't keep the process alive by
 * themselves, only while a batch is waited for.
 */
export function createPool(count: number, setup: LoaderSetup) {
  const waiting = new Map<
    number,
    { room: SharedArrayBuffer; resolve(batch: Batch): void; reject(error: Error): void; worker: number }
  >();
  const free: SharedArrayBuffer[] = [];
  const closed = new Error('the pool is closed');
  let lastId = 0;
  let closing = false;

  const workers = Array.from({ length: count }, (_, at) => {
    const worker = new Worker(threadFile('images/worker'), { workerData: setup, execArgv: [] });
    worker.unref();
    const endAll = (error: Error) => {
      for (const [id, task] of waiting) {
        if (task.worker !== at) continue;
        waiting.delete(id);
        task.reject(error);
      }
    };
    worker.on('message', (reply: LoadReply) => {
      const task = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('failed' in reply) {
        task?.reject(
          new TrainerError('bad_data', `The pictures can't be decoded: ${reply.failed}.`, {
            hint: 'Look at the files named above, and replace or remove them.',
          }),
        );
      } else if (task) task.resolve(batchOf(reply, task.room));
    });
    worker.on('error', (cause) =>
      endAll(new TrainerError('internal', `The picture thread died: ${cause.message}.`, { cause })),
    );
    worker.on('exit', (code) =>
      endAll(closing ? closed : new TrainerError('internal', `The picture thread ended with code ${code}.`)),
    );
    return worker;
  });

  const floats = setup.height * setup.width * 3;
  function batchOf({ labels, skipped }: Omit<Batch, 'x' | 'release'>, room: SharedArrayBuffer): Batch {
    let held = true;
    return {
      x: new Float32Array(room, 0, labels.length * floats),
      labels,
      skipped,
      release() {
        if (held) free.push(room);
        held = false;
      },
    };
  }
  function roomFor(samples: number): SharedArrayBuffer {
    const bytes = samples * floats * Float32Array.BYTES_PER_ELEMENT;
    const at = free.findIndex((room) => room.byteLength >= bytes);
    return at === -1 ? new SharedArrayBuffer(bytes) : free.splice(at, 1)[0]!;
  }

  return {
    load(request: Omit<LoadRequest, 'id' | 'room'>): Promise<Batch> {
      lastId += 1;
      const id = lastId;
      const worker = id % workers.length;
      const room = roomFor(request.samples.length);
      return new Promise<Batch>((resolve, reject) => {
        waiting.set(id, { room, resolve, reject, worker });
        workers[worker]!.postMessage({ id, room, ...request } satisfies LoadRequest);
      });
    },
    /** Keeps the process alive while `batch` is awaited. */
    async hold<T>(batch: Promise<T>): Promise<T> {
      for (const worker of workers) worker.ref();
      try {
        return await batch;
      } finally {
        for (const worker of workers) worker.unref();
      }
    },
    async close(): Promise<void> {
      closing = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
