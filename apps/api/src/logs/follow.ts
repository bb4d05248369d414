import { isEnd, type LogLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Feed, type Feeds, storedFrame } from './feed.js';
import { type Cursor, formatCursor, isBefore } from './lines.js';
import { readLines } from './read.js';
import { type EventStream, frame } from './sse.js';

/** Lines a page read from the database for a follower that is behind, and bytes written at once from the feed. */
const pageLines = 2000;
const writeBytes = 256 * 1024;

/**
 * Sends a job's log from a cursor on, line by line without a gap, until the job has ended and all is sent.
 * The cursor alone decides what comes next, so nothing is missed between the stored lines and the live ones.
 */
export async function followLog(
  deps: Deps,
  feeds: Feeds,
  jobId: string,
  from: Cursor,
  stream: EventStream,
): Promise<void> {
  const feed = feeds.join(jobId);
  let cursor = from;
  let told = '';
  let drawn = feed.progress.version;
  try {
    while (!stream.gone.aborted && !feed.deleted) {
      const seen = feed.version;
      const { job, progress } = feed;
      const ended = job !== undefined && isEnd(job.status);
      const state = job ? `${job.status} ${job.attempt}` : '';
      if (job && !ended && state !== told) {
        told = state;
        await stream.write(frame('job', job));
      }
      if (isBefore(cursor, feed.end)) {
        const next = await linesAfter(deps, feed, jobId, cursor);
        if (next.bytes) await stream.write(next.bytes);
        cursor = next.cursor;
        continue;
      }
      if (progress.version !== drawn) {
        drawn = progress.version;
        await stream.write(frame('progress', { text: progress.text }));
      }
      if (ended && feed.version === seen) {
        await stream.write(frame('job', job) + frame('end', job));
        break;
      }
      await feed.wait(seen, stream.gone);
    }
  } finally {
    feeds.leave(jobId, feed);
    stream.end();
  }
}

/** Lines as they were read, maybe of several attempts. */
const linesFrame = (lines: LogLine[]): Buffer =>
  Buffer.from(frame('lines', { lines }, formatCursor(lines.at(-1) as LogLine)));

/** holds: the cursor is before the feed's end */
async function linesAfter(
  deps: Deps,
  feed: Feed,
  jobId: string,
  cursor: Cursor,
): Promise<{ bytes?: Buffer; cursor: Cursor }> {
  const frames: Buffer[] = [];
  let at = cursor;
  for (let bytes = 0; bytes < writeBytes; ) {
    const held = feed.frameAfter(at);
    if (!held) break;
    const whole = held.firstSeq === at.seq + 1;
    const ready = whole
      ? held.bytes
      : storedFrame(held.lines.slice(at.seq + 1 - held.firstSeq), at.attempt, at.seq + 1);
    frames.push(ready);
    bytes += ready.length;
    at = { attempt: held.attempt, seq: held.firstSeq + held.lines.length - 1 };
  }
  // One frame, which is the rule, is the same bytes for all followers.
  if (frames.length > 0)
    return { bytes: frames.length === 1 ? frames[0] : Buffer.concat(frames), cursor: at };
  const end = feed.end;
  const lines = await readLines(deps, jobId, cursor, pageLines);
  // None: they were deleted after their time. What comes next is at the end.
  if (lines.length === 0) return { cursor: end };
  const last = lines.at(-1) as LogLine;
  return { bytes: linesFrame(lines), cursor: { attempt: last.attempt, seq: last.seq } };
}
