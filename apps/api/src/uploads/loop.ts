import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps } from '../deps.js';
import { openScratchFolder } from '../scratch-folder.js';
import { sweepUploads } from './sweep.js';
import { unpackNext } from './unpack.js';

const sweepMs = 3_600_000;

/**
 * Unpacks what has come whole, one upload at a time, as soon as any api says that one has, and every now and then in case
 * nobody did. Any number of apis may do it.
 */
export function startUnpacking(deps: Deps): { close(): Promise<void> } {
  const closing = new AbortController();
  let wake = new AbortController();
  const unsubscribe = deps.hub.subscribe((signal) => {
    if (signal.type === 'upload') wake.abort();
  });
  let swept = 0;
  const work = async (): Promise<void> => {
    const folder = await openScratchFolder(deps.config.home, 'uploads');
    while (!closing.signal.aborted) {
      // Made anew before it is looked: what comes after that ends the wait at once.
      wake = new AbortController();
      try {
        while (await unpackNext(deps, folder, closing.signal)) closing.signal.throwIfAborted();
        if (Date.now() - swept > sweepMs) {
          await sweepUploads(deps);
          swept = Date.now();
        }
      } catch (error) {
        if (closing.signal.aborted) return;
        deps.log.error({ err: error }, 'unpacking uploads failed; it will be tried again');
      }
      const either = AbortSignal.any([wake.signal, closing.signal]);
      await sleep(deps.config.sweepSeconds * 1000, undefined, { signal: either }).catch(() => undefined);
    }
  };
  const working = work().catch((error: unknown) =>
    deps.log.error({ err: error }, 'no upload can be unpacked'),
  );
  return {
    async close() {
      unsubscribe();
      closing.abort();
      await working;
    },
  };
}
