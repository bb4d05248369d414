import { Readable } from 'node:stream';
import type { LogLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Cursor, startOfLog } from './lines.js';
import { readLines } from './read.js';

const linesPerPage = 5000;

/** The log of one attempt as text, a page at a time; the pieces of a split line are joined again. */
export const logText = (deps: Deps, jobId: string, attempt: number): Readable =>
  Readable.from(textPages(deps, jobId, attempt), { objectMode: false });

/** @param attempt one of them; all, one after the other, unless told */
export async function* textPages(deps: Deps, jobId: string, attempt?: number): AsyncGenerator<string> {
  let last: LogLine | undefined;
  for (let at: Cursor = attempt === undefined ? startOfLog : { attempt, seq: 0 }; ; ) {
    const lines = (await readLines(deps, jobId, at, linesPerPage)).filter(
      (line) => attempt === undefined || line.attempt === attempt,
    );
    if (lines.length === 0) return;
    let page = '';
    for (const line of lines) {
      // An attempt that ended within a line.
      if (last?.more && last.attempt !== line.attempt) page += '\n';
      page += line.more ? line.text : `${line.text}\n`;
      last = line;
    }
    yield page;
    at = lines.at(-1) as LogLine;
  }
}
