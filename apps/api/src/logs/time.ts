import type { Deps } from '../deps.js';
import type { Cursor } from './lines.js';
import { attemptLogs, readAttempt } from './read.js';

/**
 * The first line printed at a time or after it, or the last line when all were printed before; null for an empty log. A line's
 * time is never before that of the one above it, so that a few are looked at, whatever the length of the log.
 * @param time milliseconds since 1970
 */
export async function lineAtTime(deps: Deps, jobId: string, time: number): Promise<Cursor | null> {
  let last: Cursor | null = null;
  for (const log of await attemptLogs(deps, jobId)) {
    const { number: attempt, lastSeq: lines } = log;
    if (lines === 0) continue;
    last = { attempt, seq: lines };
    const isBefore = async (seq: number) => {
      const [line] = await readAttempt(deps, jobId, log, seq, 1);
      return line !== undefined && line.time < time;
    };
    if (await isBefore(lines)) continue;
    let low = 1;
    let high = lines;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return { attempt, seq: low };
  }
  return last;
}
