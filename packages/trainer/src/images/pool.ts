import { Worker } from 'node:worker_threads';
import { TrainerError } from '../errors.js';
import { threadFile } from '../thread-file.js';
import type { LoaderSetup, LoadReply, LoadRequest } from './jobs.js';

type Batch = Extract<LoadReply, { x: Float32Array }>;

/**
 * Threads that make batches. `load` answers when the batch is ready, in whichever order they end; a thread
 * that dies ends every batch it had with a TrainerError. The threads don't keep the process alive by
 * themselves, only while a batch is waited for.
 */
export function createPool(count: number, setup: LoaderSetup) {
  const waiting = new Map<
    number,
    { resolve(batch: Batch): void; reject(error: Error): void; worker: number }
  >();
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
      } else task?.resolve(reply);
    });
    worker.on('error', (cause) =>
      endAll(new TrainerError('internal', `The picture thread died: ${cause.message}.`, { cause })),
    );
    worker.on('exit', (code) =>
      endAll(closing ? closed : new TrainerError('internal', `The picture thread ended with code ${code}.`)),
    );
    return worker;
  });

  return {
    load(request: Omit<LoadRequest, 'id'>): Promise<Batch> {
      lastId += 1;
      const id = lastId;
      const worker = id % workers.length;
      return new Promise<Batch>((resolve, reject) => {
        waiting.set(id, { resolve, reject, worker });
        workers[worker]!.postMessage({ id, ...request } satisfies LoadRequest);
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
