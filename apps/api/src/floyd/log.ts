import { Readable } from 'node:stream';
import { type EndStatus, isEnd, type JobStatus } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { JobRef } from '../jobs/access.js';
import { viewJob } from '../jobs/view.js';
import { textPages } from '../logs/text.js';
import { endMarker } from './words.js';

/**
 * The whole log of a job, of all its attempts: the client reads it anew each second, prints what is behind what it printed
 * before, and stops at the mark of an end. So it only ever grows, and the mark comes with the answer that has everything.
 * @param job as it was before its lines are read: an ended one gets no more
 */
export function floydLog(deps: Deps, job: JobRef): Readable {
  async function* text(): AsyncGenerator<string> {
    let whole = true;
    for await (const page of textPages(deps, job.id)) {
      yield page;
      whole = page.endsWith('\n');
    }
    if (isEnd(job.status as JobStatus)) yield `${whole ? '' : '\n'}${await ending(deps, job)}`;
  }
  return Readable.from(text(), { objectMode: false });
}

async function ending(deps: Deps, { id, status }: JobRef): Promise<string> {
  const { message } = await viewJob(deps, id);
  return `${message ?? status}\n${endMarker[status as EndStatus]}\n`;
}
