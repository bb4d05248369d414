import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';

const passingCodes = new Set(['unavailable', 'too_many_requests', 'internal']);

/** Whether an error of a call to the api may be gone the next time: the api or the way to it was down. */
export function isPassing(error: unknown): boolean {
  if (error instanceof AppError) return passingCodes.has(error.code);
  // An answer that broke off: fetch says TypeError, its JSON SyntaxError.
  return error instanceof TypeError || error instanceof SyntaxError;
}

export const isStale = (error: unknown): boolean => error instanceof AppError && error.code === 'stale_fence';

/** Calls until the api answers, waiting 0.1 to 5 s between. @throws what isn't passing, or the signal's reason. */
export async function untilAnswered<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let wait = 100; ; wait = Math.min(wait * 2, 5000)) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error;
    }
    await sleep(wait, undefined, { signal });
  }
}
