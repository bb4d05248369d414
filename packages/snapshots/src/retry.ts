import { AppError } from '@mycloud/shared/browser';

/** Codes that say "not now" rather than "not so". */
const passing = new Set(['unavailable', 'too_many_requests', 'internal']);

export const tries = 5;

/** May the same request succeed a little later? */
export function isPassing(error: unknown): boolean {
  return error instanceof AppError && passing.has(error.code);
}

/** Waits before try `attempt` + 1: 0.2 s, 0.4 s, 0.8 s …, spread so that many clients don't come back at once. */
export async function backOff(attempt: number, signal?: AbortSignal): Promise<void> {
  const ms = 100 * 2 ** attempt * (0.75 + Math.random() / 2);
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Does `work` up to five times while its errors are of the passing kind. */
export async function withRetry<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= tries || signal?.aborted || !isPassing(error)) throw error;
      await backOff(attempt, signal);
    }
  }
}
