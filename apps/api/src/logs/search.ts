import type { LogLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Cursor, formatCursor } from './lines.js';
import { readLines } from './read.js';

const pageLines = 10_000;
/** Lines one call looks at: the caller goes on, and can stop. */
const linesPerCall = 200_000;

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
  const wanted = text.toLowerCase();
  const found: LogLine[] = [];
  let cursor = from;
  for (let seen = 0; seen < linesPerCall; seen += pageLines) {
    const lines = await readLines(deps, jobId, cursor, pageLines);
    for (const line of lines) {
      if (line.text.replace(escapes, '').toLowerCase().includes(wanted)) found.push(line);
      cursor = line;
      if (found.length === limit) return { lines: found, cursor: formatCursor(cursor), ended: false };
    }
    if (lines.length < pageLines) return { lines: found, cursor: formatCursor(cursor), ended: true };
  }
  return { lines: found, cursor: formatCursor(cursor), ended: false };
}
