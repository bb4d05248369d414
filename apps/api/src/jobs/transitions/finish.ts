import { AppError, type AttemptProof, reasonSentence, reasons, type SentLine } from '@mycloud/shared';
import type { Deps } from '../../deps.js';
import { storeRest, tellLines } from '../../logs/append.js';
import { type StoredLine, toStored } from '../../logs/lines.js';
import { checkOutput } from '../output.js';
import { one, transaction } from '../sql.js';
import { storable } from '../text.js';
import { type Ended, endAttempt, type Outcome, startOf, tellEnd } from './end.js';
import { type LockedJob, lockedColumns, lockJob, staleFence } from './lock.js';

/** An end as the attempt's worker tells it. */
export interface Finish extends Outcome {
  /** Number of its last line, of those that come with the end too. */
  lastSeq: number;
  firstSeq: number;
  /** Its last lines, from firstSeq on. */
  lines: SentLine[];
}

interface Finished {
  ended?: Ended;
  lines?: { firstSeq: number; lines: StoredLine[] };
}

/**
 * Ends an attempt as its worker says, and stores the lines that come with that. The same end said twice is no error.
 * @throws AppError stale_fence; log_gap when log lines are missing (details.expected); bad_request for another's output
 */
export async function finishAttempt(
  deps: Deps,
  proof: AttemptProof,
  tokenId: string,
  finish: Finish,
): Promise<void> {
  const lines = finish.lines.map(toStored);
  const { ended, lines: stored } =
    (await finishAtOnce(deps, proof, tokenId, finish, lines)) ??
    (await finishStepwise(deps, proof, tokenId, finish, lines));
  if (stored) await tellLines(deps, proof, stored);
  if (ended) await tellEnd(deps, ended);
}

/**
 * The rule, in one statement: an end that is one whatever its job is, which nobody asked to hear of, of an attempt whose lines
 * go on where they ended. @returns undefined when it is not so; nothing is changed then
 */
async function finishAtOnce(
  deps: Deps,
  proof: AttemptProof,
  tokenId: string,
  { reason, detail, exitCode, outputSnapshotId, startedAt, lastSeq, firstSeq }: Finish,
  lines: StoredLine[],
): Promise<Finished | undefined> {
  const { retry, status } = reasons[reason];
  const storedSeq = lines.length > 0 ? firstSeq - 1 : lastSeq;
  if (retry !== 'never' || storedSeq + lines.length !== lastSeq) return undefined;
  const job = await one<LockedJob>(
    deps.pool,
    `WITH job AS (
       SELECT ${lockedColumns} FROM "Job" j JOIN "Project" p ON p.id = j."projectId"
       WHERE j.id = $1 AND j.attempt = $2 AND j.status IN ('preparing','running','saving') FOR NO KEY UPDATE OF j),
     held AS (
       SELECT a."jobId", a.number FROM job JOIN "Attempt" a ON a."jobId" = job.id JOIN "Worker" w ON w.id = a."workerId"
       WHERE a.number = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND a."lastSeq" = $5 AND mycloud_speaks_for($4, w)
         AND NOT job."heardOf" AND ($6::uuid IS NULL OR EXISTS (
           SELECT 1 FROM "Snapshot" s WHERE s.id = $6 AND s."ownerId" IN (job."projectOwner", job."ownerId")))
       FOR NO KEY UPDATE OF a),
     batch AS (
       INSERT INTO "LogBatch" ("jobId", attempt, "firstSeq", "lastSeq", lines)
       SELECT "jobId", number, $5 + 1, $7::int, $8::jsonb FROM held WHERE $7 > $5),
     ended AS (
       UPDATE "Attempt" a SET "endedAt" = now(), reason = $9, detail = $10, "exitCode" = $11, "lastSeq" = $7 FROM held
       WHERE a."jobId" = held."jobId" AND a.number = held.number),
     said AS (
       INSERT INTO "Event" ("jobId", attempt, type, reason, message) SELECT "jobId", number, $12, $9, $13 FROM held),
     moved AS (
       UPDATE "Job" j SET status = $12, reason = $9, detail = $10, "exitCode" = $11, "finishedAt" = now(),
         "outputSnapshotId" = COALESCE($6, "outputSnapshotId"), "startedAt" = ${startOf('$14')}
       FROM held WHERE j.id = held."jobId")
     SELECT job.* FROM job JOIN held ON held."jobId" = job.id`,
    [
      proof.jobId,
      proof.attempt,
      proof.fence,
      tokenId,
      storedSeq,
      outputSnapshotId,
      lastSeq,
      JSON.stringify(lines),
      reason,
      storable(detail),
      exitCode,
      status,
      storable(reasonSentence(reason, storable(detail))),
      startedAt ?? null,
    ],
  );
  if (!job) return undefined;
  return {
    ended: { job, again: false, end: { status, reason, exitCode } },
    ...(lines.length > 0 && { lines: { firstSeq, lines } }),
  };
}

/** All that may come of an end, one question after another. */
function finishStepwise(
  deps: Deps,
  proof: AttemptProof,
  tokenId: string,
  finish: Finish,
  lines: StoredLine[],
): Promise<Finished> {
  return transaction(deps.pool, async (sql) => {
    const job = await lockJob(sql, proof.jobId);
    const attempt = await one<{ endedAt: Date | null; reason: string | null; lastSeq: number }>(
      sql,
      `SELECT a."endedAt", a.reason, a."lastSeq" FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
       WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND mycloud_speaks_for($4, w) FOR NO KEY UPDATE OF a`,
      [proof.jobId, proof.attempt, proof.fence, tokenId],
    );
    if (!job || !attempt) throw staleFence(proof.attempt);
    // Ended by the sweep and by its worker are told apart: only the worker's own end may be said again.
    if (attempt.endedAt) {
      if (attempt.reason === finish.reason && finish.reason !== 'worker_lost') return {};
      throw staleFence(proof.attempt);
    }
    const { lastSeq, stored } = await storeRest(sql, proof, attempt.lastSeq, finish.firstSeq, lines);
    if (finish.lastSeq > lastSeq) {
      throw new AppError('log_gap', `its log is stored up to line ${lastSeq} of ${finish.lastSeq}`, {
        hint: 'Send the missing lines, then finish.',
        details: { expected: lastSeq + 1 },
      });
    }
    await checkOutput(sql, job, finish.outputSnapshotId);
    return { ended: await endAttempt(sql, job, finish), lines: stored };
  });
}
