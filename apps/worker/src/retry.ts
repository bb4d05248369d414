import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';

const passingCodes = new Set(['unavailable', 'too_many_requests', 'internal']);

/** Whether an error of a call to the api may be gone the next time: the api or the way to it was down. */
export function isPassing(error: unknown): boolean {
  if (error instanceof AppError) return passingCodes.has(error.code);
  // An answer that broke off: fetch says TypeError, its JSON SyntaxError.
  return error instanceof TypeError || error instanceof SyntaxError || error instanceof NoAnswer;
}

/** A call was given up: its connection may be dead without either end having been told. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Whether the server won't have this worker any more: its token was revoked, or an admin took it away. */
export const isRefused = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'unauthenticated' || error.code === 'forbidden');

const answerWithinMs = 30_000;

/** Gives a call up that isn't answered in time; made again, it is the same call to the api. @throws the signal's reason */
export async function answered<T>(
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  withinMs = answerWithinMs,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new NoAnswer(`no answer within ${withinMs} ms`)), withinMs);
  // Not AbortSignal.any, which keeps what it made for as long as a signal lives that outlives many calls.
  const end = (): void => limit.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    signal.throwIfAborted();
    return await call(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
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
