import { AppError, logRoutes as contract, isEnd, type JobStatus } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { Feeds } from '../logs/feed.js';
import { followLog } from '../logs/follow.js';
import { type Cursor, formatCursor, isBefore, parseCursor, startOfLog } from '../logs/lines.js';
import { cursorOfTail, endOfLog, linesOfAttempts, readLines } from '../logs/read.js';
import { searchLog } from '../logs/search.js';
import { eventStreams } from '../logs/sse.js';
import { logText } from '../logs/text.js';
import { lineAtTime } from '../logs/time.js';

export function logRoutes(app: FastifyInstance, deps: Deps): void {
  const openStream = eventStreams(app, deps.hub);
  const feeds = new Feeds(deps);
  app.addHook('onClose', async () => feeds.close());

  const startOf = async (jobId: string, asked: { after?: string; tail?: number }): Promise<Cursor> =>
    parseCursor(asked.after) ??
    (asked.tail === undefined ? startOfLog : await cursorOfTail(deps, jobId, asked.tail));

  serve(app, contract.range, async ({ params, query, caller }) => {
    // The status is read before the lines: an ended job gets no more.
    const job = await findJob(deps, caller, params, 'read');
    const from = await startOf(job.id, query);
    const lines = await readLines(deps, job.id, from, Math.max(query.limit, query.tail ?? 0));
    const cursor = lines.at(-1) ?? from;
    const ended = isEnd(job.status as JobStatus) && !isBefore(cursor, await endOfLog(deps, job.id));
    return { lines, cursor: formatCursor(cursor), ended };
  });

  serve(app, contract.attempts, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return { items: await linesOfAttempts(deps, job.id) };
  });

  serve(app, contract.search, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return searchLog(deps, job.id, parseCursor(query.after) ?? startOfLog, query.text, query.limit);
  });

  serve(app, contract.at, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return { place: await lineAtTime(deps, job.id, query.time) };
  });

  serve(app, contract.text, async ({ params, caller, reply }) => {
    const job = await findJob(deps, caller, params, 'read');
    reply.header('content-type', 'text/plain; charset=utf-8').header('x-content-type-options', 'nosniff');
    return logText(deps, job.id, job.attempt);
  });

  serve(app, contract.stream, async ({ params, query, caller, request, reply }) => {
    const job = await findJob(deps, caller, params, 'read');
    const header = request.headers['last-event-id'];
    const last = parseCursor(Array.isArray(header) ? header[0] : header);
    if (header && !last) {
      throw new AppError('bad_request', `the Last-Event-ID "${header}" is no cursor`, {
        hint: 'A cursor is ATTEMPT.SEQ.',
      });
    }
    const from = last ?? (await startOf(job.id, query));
    const stream = openStream(reply);
    try {
      await followLog(deps, feeds, job.id, from, stream);
    } catch (error) {
      // The answer has begun: the follower reconnects with its cursor.
      deps.log.warn({ err: error, jobId: job.id }, 'a follower of its log was cut off');
    }
  });
}
