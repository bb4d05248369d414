import { Worker } from 'node:worker_threads';
import { TrainerError } from '../../errors.js';
import { threadFile } from '../../thread-file.js';
import type { Run, ThreadReady, ThreadReply, ThreadRequest, ThreadSetup } from './messages.js';

type Answer = Extract<ThreadReply, { id: number }>;
type Asked<T> = T extends { id: number } ? Omit<T, 'id'> : never;
interface Waiting {
  resolve(answer: Exclude<Answer, { failed: string }>): void;
  reject(error: Error): void;
}

/** The thread in which TensorFlow's sessions run: a step blocks it, and never this one's event loop. */
export interface TensorflowThread extends ThreadReady {
  /** Loads a SavedModel; a number stands for its session. */
  load(folder: string): Promise<number>;
  /** One run after the other, nothing between them; the fetched values of each. */
  run(session: number, runs: Run[]): Promise<Float32Array[][]>;
  drop(session: number): Promise<void>;
}

/**
 * Starts the thread and waits for TensorFlow in it. It keeps the process alive only while an answer is waited for.
 * @throws Error where the binding doesn't load
 */
export async function startTensorflow(setup: ThreadSetup): Promise<TensorflowThread> {
  const worker = new Worker(threadFile('engines/graph/worker'), { workerData: setup, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;

  const ready = await new Promise<ThreadReady>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.unref();
  const end = (cause: Error | undefined) => {
    const why = cause?.message ?? 'it exited';
    const error = new TrainerError('internal', `TensorFlow's thread died: ${why}`, { cause });
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(undefined));
  worker.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ('failed' in answer) one?.reject(new TrainerError('internal', answer.failed));
    else one?.resolve(answer);
  });

  const ask = (request: Asked<ThreadRequest>): Promise<Exclude<Answer, { failed: string }>> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      worker.ref();
      worker.postMessage({ id: lastId, ...request } as ThreadRequest);
    });
  return {
    ...ready,
    load: async (folder) => (await ask({ load: folder })).session!,
    // What is fed is cloned on its way, if it isn't in shared memory: a variable that is assigned may keep it as its own.
    run: async (session, runs) => (await ask({ session, runs })).values!,
    drop: async (session) => void (await ask({ drop: session })),
  };
}
