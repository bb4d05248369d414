import { Readable } from 'node:stream';
import type { Deps } from '../deps.js';
import { readLines } from './read.js';

/** The log of one attempt as text, a page at a time; the pieces of a split line are joined again. */
export function logText(deps: Deps, jobId: string, attempt: number): Readable {
  async function* pages(): AsyncGenerator<string> {
    for (let seq = 0; ; ) {
      const lines = (await readLines(deps, jobId, { attempt, seq }, 5000)).filter(
        (line) => line.attempt === attempt,
      );
      const last = lines.at(-1);
      if (!last) return;
      yield lines.map((line) => (line.more ? line.text : `${line.text}\n`)).join('');
      seq = last.seq;
    }
  }
  return Readable.from(pages(), { objectMode: false });
}
