import { Worker } from 'node:worker_threads';
import { TrainerError } from '../../errors.js';
import { threadFile } from '../../thread-file.js';
import type { Answer, CallName, Given, ReplicaSetup, Reply } from './protocol.js';

/** A replica in its thread, asked one thing at a time or several in a row. */
export interface ReplicaThread {
  ask<N extends CallName>(name: N, given: Given<N>): Promise<Answer<N>>;
  close(): Promise<void>;
}

/** Starts a replica. Its thread keeps the process alive only while an answer is waited for. */
export function startReplica(setup: ReplicaSetup): ReplicaThread {
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  const worker = new Worker(threadFile('engines/parallel/replica'), { workerData: setup, execArgv: [] });
  worker.unref();
  let lastId = 0;

  const settle = (id: number) => {
    const task = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return task;
  };
  const endAll = (message: string, cause?: unknown) => {
    for (const id of [...waiting.keys()])
      settle(id)?.reject(new TrainerError('internal', message, { cause }));
  };
  worker.on('message', (reply: Reply) => {
    const task = settle(reply.id);
    if ('failed' in reply)
      task?.reject(new TrainerError('internal', `A training thread failed: ${reply.failed}`));
    else task?.resolve(reply.answer);
  });
  worker.on('error', (cause) => endAll(`A training thread died: ${cause.message}`, cause));
  worker.on('exit', (code) => endAll(`A training thread ended with code ${code}`));

  return {
    ask: <N extends CallName>(name: N, given: Given<N>) =>
      new Promise<Answer<N>>((resolve, reject) => {
        lastId++;
        waiting.set(lastId, { resolve: (answer) => resolve(answer as Answer<N>), reject });
        worker.ref();
        worker.postMessage({ id: lastId, name, given });
      }),
    async close() {
      await worker.terminate();
    },
  };
}
