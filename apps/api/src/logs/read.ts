import type { LogLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type LogIndex, readArchive } from './archive.js';
import { type Cursor, fromStored, type StoredLine } from './lines.js';

/** Where the lines of an attempt are. */
export interface AttemptLog {
  number: number;
  lastSeq: number;
  /** null: its lines are batches; else the store's object that has them. */
  logKey: string | null;
  logIndex: LogIndex | null;
}

/** Of attempts whose lines weren't deleted after their time: without an index, or with an object of the store. */
const kept = `"jobId" = $1 AND ("logIndex" IS NULL OR "logKey" IS NOT NULL)`;

/** All attempts of a job whose lines are there, in order. @param from the first of them that is asked for */
export async function attemptLogs(deps: Deps, jobId: string, from = 1): Promise<AttemptLog[]> {
  const { rows } = await deps.pool.query<AttemptLog>(
    `SELECT number, "lastSeq", "logKey", "logIndex" FROM "Attempt" WHERE ${kept} AND number >= $2 ORDER BY number`,
    [jobId, from],
  );
  return rows;
}

/** The same without the index, which of a log of millions of lines is a hundred kilobytes. */
async function lengths(deps: Deps, jobId: string): Promise<{ number: number; lastSeq: number }[]> {
  const { rows } = await deps.pool.query<{ number: number; lastSeq: number }>(
    `SELECT number, "lastSeq" FROM "Attempt" WHERE ${kept} ORDER BY number`,
    [jobId],
  );
  return rows;
}

/** Up to `limit` lines after a cursor, over all attempts: those of attempt 1 come before those of attempt 2. */
export async function readLines(deps: Deps, jobId: string, after: Cursor, limit: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (const log of await attemptLogs(deps, jobId, after.attempt)) {
    const from = (log.number === after.attempt ? after.seq : 0) + 1;
    if (from > log.lastSeq || lines.length >= limit) continue;
    const wanted = Math.min(limit - lines.length, log.lastSeq - from + 1);
    for (const line of await readAttempt(deps, jobId, log, from, wanted)) lines.push(line);
  }
  return lines;
}

/** Up to `limit` lines of one attempt, from a number on. */
export async function readAttempt(
  deps: Deps,
  jobId: string,
  log: AttemptLog,
  from: number,
  limit: number,
): Promise<LogLine[]> {
  if (log.logKey === null) {
    const lines = await readBatches(deps, jobId, log.number, from, limit);
    if (lines.length > 0) return lines;
    // It was compacted between the two reads: its object has them now, or its time was over.
    const now = (await attemptLogs(deps, jobId, log.number)).find(({ number }) => number === log.number);
    if (!now?.logKey) return [];
    return readArchived(deps, now, from, limit);
  }
  return readArchived(deps, log, from, limit);
}

async function readArchived(deps: Deps, log: AttemptLog, from: number, limit: number) {
  const { firstSeq, lines } = await readArchive(
    deps.store,
    log.logKey as string,
    log.logIndex as LogIndex,
    from,
    limit,
  );
  return lines.map((line, i) => fromStored(line, log.number, firstSeq + i));
}

/** Lines of an attempt that is not compacted yet. */
async function readBatches(
  deps: Deps,
  jobId: string,
  attempt: number,
  from: number,
  limit: number,
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let next = from;
  while (lines.length < limit) {
    // A batch has at least one line: so many batches at most, and a dozen at a time to bound what is held.
    const { rows } = await deps.pool.query<{ firstSeq: number; lines: StoredLine[] }>(
      `SELECT "firstSeq", lines FROM "LogBatch" WHERE "jobId" = $1 AND attempt = $2 AND "firstSeq" >= COALESCE(
         (SELECT max("firstSeq") FROM "LogBatch" WHERE "jobId" = $1 AND attempt = $2 AND "firstSeq" <= $3), $3)
       ORDER BY "firstSeq" LIMIT $4`,
      [jobId, attempt, next, Math.min(12, limit - lines.length)],
    );
    const before = next;
    for (const batch of rows) {
      for (let i = Math.max(0, next - batch.firstSeq); i < batch.lines.length; i++) {
        lines.push(fromStored(batch.lines[i]!, attempt, batch.firstSeq + i));
      }
      next = Math.max(next, batch.firstSeq + batch.lines.length);
      if (lines.length >= limit) break;
    }
    if (next === before) break;
  }
  return lines.slice(0, limit);
}

/** The cursor that has just `count` lines after it, or the start of the log. */
export async function cursorOfTail(deps: Deps, jobId: string, count: number): Promise<Cursor> {
  let left = count;
  for (const log of (await lengths(deps, jobId)).reverse()) {
    if (log.lastSeq >= left) return { attempt: log.number, seq: log.lastSeq - left };
    left -= log.lastSeq;
  }
  return { attempt: 0, seq: 0 };
}

/** The place of the newest line there is. */
export async function endOfLog(deps: Deps, jobId: string): Promise<Cursor> {
  const last = (await lengths(deps, jobId)).filter((log) => log.lastSeq > 0).at(-1);
  return last ? { attempt: last.number, seq: last.lastSeq } : { attempt: 0, seq: 0 };
}

/** How many lines each attempt has. */
export async function linesOfAttempts(
  deps: Deps,
  jobId: string,
): Promise<{ attempt: number; lines: number }[]> {
  return (await lengths(deps, jobId)).map(({ number, lastSeq }) => ({ attempt: number, lines: lastSeq }));
}
