import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  type Client,
  type RouteContract,
  type RouteInput,
  type RouteOutput,
} from '@mycloud/shared';

const answerMs = 5000;

/** Calls until an answer comes, as a person or a script would, giving each call 5 s. @throws what no repetition mends */
export async function patiently<R extends RouteContract>(
  client: Client,
  route: R,
  input: RouteInput<R>,
  headers?: Record<string, string>,
): Promise<RouteOutput<R>> {
  const end = Date.now() + 60_000;
  for (;;) {
    const limit = AbortSignal.timeout(answerMs);
    try {
      return await client.call(route, input, { headers, signal: limit });
    } catch (error) {
      const passing = error instanceof AppError ? ['unavailable', 'internal'].includes(error.code) : true;
      if (!passing || Date.now() > end) throw error;
    }
    await sleep(200);
  }
}
