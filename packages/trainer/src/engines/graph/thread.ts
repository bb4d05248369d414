import { Worker } from 'node:worker_threads';
import { TrainerError } from '../../errors.js';
import type { Feed, ThreadReady, ThreadReply, ThreadRequest, ThreadSetup } from './messages.js';

/** The thread runs what the build wrote, also when this file is read from src (tests). */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts')
    ? new URL(here.replace(/\/src\/(engines\/graph\/)thread\.ts$/, '/dist/$1worker.js'))
    : new URL('./worker.js', here);
}

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
  run(session: number, feeds: Feed[], fetches: string[]): Promise<Float32Array[]>;
  drop(session: number): Promise<void>;
}

/**
 * Starts the thread and waits for TensorFlow in it. It keeps the process alive only while an answer is waited for.
 * @throws Error where the binding doesn't load
 */
export async function startTensorflow(setup: ThreadSetup): Promise<TensorflowThread> {
  const worker = new Worker(workerUrl(), { workerData: setup, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  // A batch goes over in memory that comes back with the answer: allocated anew for each step, it would lie about until
  // the thread collects its garbage.
  let spares: ArrayBuffer[] = [];
  const lend = (data: Feed['data']): Feed['data'] => {
    const at = spares.findIndex((spare) => spare.byteLength === data.byteLength);
    const memory = at < 0 ? new ArrayBuffer(data.byteLength) : spares.splice(at, 1)[0]!;
    const copy = data instanceof Int32Array ? new Int32Array(memory) : new Float32Array(memory);
    copy.set(data);
    return copy;
  };
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

  const ask = (
    request: Asked<ThreadRequest>,
    lent: ArrayBuffer[] = [],
  ): Promise<Exclude<Answer, { failed: string }>> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      worker.ref();
      worker.postMessage({ id: lastId, ...request } as ThreadRequest, lent);
    });
  return {
    ...ready,
    load: async (folder) => (await ask({ load: folder })).session!,
    async run(session, feeds, fetches) {
      const lent = feeds.map((feed) => ({ ...feed, data: lend(feed.data) }));
      const { values, returned } = await ask(
        { session, feeds: lent, fetches },
        lent.map(({ data }) => data.buffer as ArrayBuffer),
      );
      spares = returned!;
      return values!;
    },
    drop: async (session) => void (await ask({ drop: session })),
  };
}
