import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Fetched, ToFetch } from './fetch-range.js';
import type { Filled, ToRead } from './file-reader.js';
import type { Slab } from './slab.js';
import { createThreadWork, type Range, type Work } from './thread-work.js';
import type { Suspect } from './tree-places.js';

/** Below this, starting threads takes longer than the work. */
const threadsFromBytes = 32 * 1024 * 1024;
const threadsFromFiles = 4000;
const maxThreads = 4;
/** What a thread holds is short-lived lists; without a limit each lets 100 MB of garbage lie before it tidies up. */
const threadLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 3 };

/** Somebody who reads, fetches, hashes and writes; what is asked of it is done in order, but for what waits for the network. */
export interface Helper {
  begin(files: ToRead): Promise<void>;
  fill(slab: Slab): Promise<Filled>;
  /** CRC-32 of ranges of a slab, one after the other. */
  sum(slab: Slab, ranges: Range[]): Promise<number>;
  /** Fetches a range into a slab, verifies its chunks and writes them where they go. @throws an error of code ESTORE */
  fetch(slab: Slab, range: ToFetch, signal?: AbortSignal): Promise<Fetched>;
  /** Which chunks of files are there already. @returns their places in the file's list */
  find(suspects: Suspect[]): Promise<number[][]>;
}

export interface Helpers {
  all: Helper[];
  /** One after the other in turn. */
  next(): Helper;
  close(): Promise<void>;
}

/** Threads for much work, at most `most`; for little, this thread itself, a slab at a time. */
export function startHelpers(files: number, bytes: number, most = maxThreads): Helpers {
  if (bytes < threadsFromBytes && files < threadsFromFiles) {
    const work = createThreadWork();
    const here = helper(async (asked) => {
      await turn();
      return work(asked);
    });
    return {
      all: [here],
      next: () => here,
      close: async () => void work({ kind: 'begin', files: { root: '', paths: [], guarded: false } }),
    };
  }
  const threads = Array.from({ length: Math.min(most, availableParallelism()) }, startThread);
  const all = threads.map((thread) => helper(thread.ask));
  let turns = 0;
  return {
    all,
    next: () => all[turns++ % all.length]!,
    close: async () => void (await Promise.all(threads.map((thread) => thread.end()))),
  };
}

type Ask = (work: Work) => Promise<unknown>;

/** The casts say what thread-work.ts answers to each kind of work. */
const helper = (ask: Ask): Helper => ({
  begin: (files) => ask({ kind: 'begin', files }) as Promise<void>,
  fill: (slab) => ask({ kind: 'fill', memory: slab.buffer }) as Promise<Filled>,
  sum: (slab, ranges) => ask({ kind: 'sum', memory: slab.buffer, ranges }) as Promise<number>,
  async fetch(slab, range, signal) {
    // Of a thread that has ended meanwhile there is nothing to cancel.
    const cancel = (): void => void ask({ kind: 'cancel' }).catch(() => undefined);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return (await ask({ kind: 'fetch', memory: slab.buffer, range })) as Fetched;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  },
  find: (suspects) => ask({ kind: 'find', suspects }) as Promise<number[][]>,
});

/** Threads run what the build wrote, also when this file is read from src (tests). */
const threadUrl = (): URL => {
  const here = import.meta.url;
  return here.endsWith('.ts')
    ? new URL(here.replace(/\/src\/threads\.ts$/, '/dist/thread.js'))
    : new URL('./thread.js', here);
};

function startThread() {
  const worker = new Worker(threadUrl(), { execArgv: [], resourceLimits: threadLimits });
  worker.unref();
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: unknown): void }>();
  let asked = 0;
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (reply: { id: number } & ({ answer: unknown } | { error: { message: string } })) => {
    const whose = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) whose?.reject(Object.assign(new Error(reply.error.message), reply.error));
    else whose?.resolve(reply.answer);
    if (waiting.size === 0) worker.unref();
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread that reads or writes files has ended')));
  return {
    ask: (work: Work) =>
      new Promise<unknown>((resolve, reject) => {
        const id = asked++;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ id, work });
      }),
    end: () => worker.terminate(),
  };
}
