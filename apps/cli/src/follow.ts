import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  isEnd,
  type Job,
  type JobRef,
  jobName,
  jobRoutes,
  type LogLine,
  logRoutes,
  readEvents,
} from '@mycloud/shared';
import type { Session } from './context.js';
import { ExitCode } from './exit.js';
import { lineText } from './log-line.js';
import { hint, print, printJson } from './output.js';
import { durationText, paint } from './text.js';

interface Options {
  json?: boolean;
  tail?: number;
  exitStatus?: boolean;
}

/** What a terminal shows of a line that is still being drawn: one row, replaced by whatever comes next. */
function progressRow() {
  const { stderr } = process;
  let drawn = false;
  return {
    draw(text: string): void {
      if (!stderr.isTTY) return;
      stderr.write(`\r\x1b[K${text.slice(0, Math.max(10, (stderr.columns ?? 80) - 1))}`);
      drawn = true;
    },
    clear(): void {
      if (drawn) stderr.write('\r\x1b[K');
      drawn = false;
    },
  };
}

/**
 * Prints a job's lines as they come until it ends, connecting again from the last line it has when the line breaks.
 * Ctrl-C detaches and leaves the job alone.
 */
export async function follow(session: Session, ref: JobRef, options: Options): Promise<void> {
  const detach = new AbortController();
  const onInterrupt = () => detach.abort();
  process.once('SIGINT', onInterrupt);
  const row = progressRow();
  let after: string | undefined = options.tail === undefined ? '0.0' : undefined;
  let ended: Job | undefined;
  let attempt = 1;
  const show = (lines: LogLine[]) => {
    row.clear();
    for (const line of lines) {
      if (options.json) printJson(line);
      else {
        if (line.attempt !== attempt) print(paint(process.stdout).dim(`[mycloud] attempt ${line.attempt}`));
        print(lineText(line));
      }
      attempt = line.attempt;
    }
  };
  try {
    while (!ended && !detach.signal.aborted) {
      try {
        const query = after === undefined ? { tail: options.tail } : { after };
        const response = await session.client.open(
          logRoutes.stream,
          { params: ref, query },
          { signal: detach.signal },
        );
        for await (const event of readEvents(response)) {
          if (event.id) after = event.id;
          if (event.event === 'lines') show((JSON.parse(event.data) as { lines: LogLine[] }).lines);
          else if (event.event === 'progress') row.draw((JSON.parse(event.data) as { text: string }).text);
          else if (event.event === 'end') ended = JSON.parse(event.data) as Job;
        }
      } catch (error) {
        if (detach.signal.aborted) break;
        // Anything the server says of the request itself is final; a broken line is not.
        if (error instanceof AppError && error.code !== 'unavailable') throw error;
      }
      if (!ended && !detach.signal.aborted) await sleep(300);
    }
  } finally {
    row.clear();
    process.removeListener('SIGINT', onInterrupt);
  }
  if (!ended) {
    hint(
      `\nDetached; ${jobName(ref)} goes on.\n  mycloud logs -f ${jobName(ref)}\n  mycloud stop ${jobName(ref)}`,
    );
    throw new ExitCode(130);
  }
  await tellEnd(session, ref, ended, options);
}

async function tellEnd(session: Session, ref: JobRef, seen: Job, options: Options): Promise<void> {
  const job = seen.finishedAt ? seen : await session.client.call(jobRoutes.get, { params: ref });
  if (!options.json) {
    const c = paint(process.stderr);
    const took =
      job.startedAt && job.finishedAt
        ? ` after ${durationText(Date.parse(job.finishedAt) - Date.parse(job.startedAt))}`
        : '';
    const good = job.status === 'succeeded';
    hint(`${good ? c.green('succeeded') : c.red(job.status)}${took}${good ? '' : `: ${job.message}`}`);
    hint(c.dim(`  mycloud output ${job.name} -o DIR`));
  }
  if (options.exitStatus && isEnd(job.status) && job.status !== 'succeeded')
    throw new ExitCode(job.exitCode || 1);
}
