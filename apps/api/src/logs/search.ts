import type { LogLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { linesIn, readBlocks } from './archive.js';
import { type Cursor, formatCursor, fromStored } from './lines.js';
import { type AttemptLog, attemptLogs, readAttempt } from './read.js';

const pageLines = 2000;
/** One call looks for about so long, and at so many lines in any case: the caller goes on, and can stop. */
const callMs = 50;
const leastLines = 20_000;

/** Colours and other escapes are no part of what a person looks for. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
const escapes = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** Looks through a job's lines after a cursor, all attempts, in order. */
export async function searchLog(
  deps: Deps,
  jobId: string,
  from: Cursor,
  text: string,
  limit: number,
): Promise<{ lines: LogLine[]; cursor: string; ended: boolean }> {
  const until = performance.now() + callMs;
  const wanted = text.toLowerCase();
  const found: LogLine[] = [];
  let cursor = from;
  let looked = 0;
  for (const log of await attemptLogs(deps, jobId, from.attempt)) {
    const first = log.number === from.attempt ? from.seq + 1 : 1;
    for await (const { lines, firstSeq, lastSeq } of candidates(deps, jobId, log, first, wanted)) {
      for (const line of lines) {
        if (!line.text.replace(escapes, '').toLowerCase().includes(wanted)) continue;
        found.push(line);
        if (found.length === limit) return { lines: found, cursor: formatCursor(line), ended: false };
      }
      looked += lastSeq - firstSeq + 1;
      cursor = { attempt: log.number, seq: lastSeq };
      if (looked >= leastLines && performance.now() > until)
        return { lines: found, cursor: formatCursor(cursor), ended: false };
    }
  }
  return { lines: found, cursor: formatCursor(cursor), ended: true };
}

/** Lines of an attempt that may hold the text, a part at a time, each with the first and the last line looked at. */
async function* candidates(
  deps: Deps,
  jobId: string,
  log: AttemptLog,
  from: number,
  wanted: string,
): AsyncGenerator<{ lines: LogLine[]; firstSeq: number; lastSeq: number }> {
  if (log.logKey === null || log.logIndex === null) {
    for (let next = from; ; ) {
      const lines = await readAttempt(deps, jobId, log, next, pageLines);
      if (lines.length === 0) return;
      yield { lines, firstSeq: next, lastSeq: next + lines.length - 1 };
      next += lines.length;
    }
  }
  // Reading a block's JSON takes longer than looking whether it has the text at all, as JSON writes it.
  const asJson = JSON.stringify(wanted).slice(1, -1);
  for await (const block of readBlocks(deps.store, log.logKey, log.logIndex, from, log.lastSeq)) {
    // Colours may stand within what is looked for.
    const may = block.json.includes('\\u001b') || block.json.toLowerCase().includes(asJson);
    const first = Math.max(from, block.firstSeq);
    const lines = may ? linesIn(block, first, block.nextSeq - 1) : [];
    yield {
      lines: lines.map((line, i) => fromStored(line, log.number, first + i)),
      firstSeq: first,
      lastSeq: block.nextSeq - 1,
    };
  }
}
