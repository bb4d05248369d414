import { AppError, type AttemptProof, type SentLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { prepared, transaction } from '../jobs/sql.js';
import { lockAttempt } from '../workers/held.js';
import { toStored } from './lines.js';

/**
 * Stores a batch of lines once. holds: the lines of an attempt are numbered 1 … lastSeq, no gap, no repeat.
 * Of a batch that overlaps what is stored only the new tail is stored.
 * @returns the last stored number
 * @throws AppError stale_fence; log_gap with details.expected when lines before it are missing
 */
export async function appendLines(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  firstSeq: number,
  lines: SentLine[],
): Promise<number> {
  const storedLines = lines.map(toStored);
  const { lastSeq, stored } = await transaction(deps.pool, async (sql) => {
    const held = await lockAttempt(sql, caller, proof);
    const expected = held.lastSeq + 1;
    if (firstSeq > expected) {
      throw new AppError('log_gap', `the lines ${expected} to ${firstSeq - 1} were never sent`, {
        hint: `Send again from line ${expected}.`,
        details: { expected },
      });
    }
    const fresh = storedLines.slice(expected - firstSeq);
    if (fresh.length === 0) return { lastSeq: held.lastSeq, stored: undefined };
    const last = held.lastSeq + fresh.length;
    await sql.query(
      prepared(
        `WITH batch AS (
         INSERT INTO "LogBatch" ("jobId", attempt, "firstSeq", "lastSeq", lines) VALUES ($1, $2, $3, $4, $5))
       UPDATE "Attempt" SET "lastSeq" = $4 WHERE "jobId" = $1 AND number = $2`,
        [proof.jobId, proof.attempt, expected, last, JSON.stringify(fresh)],
      ),
    );
    return { lastSeq: last, stored: { firstSeq: expected, lines: fresh } };
  });
  const { jobId, attempt } = proof;
  if (stored) await deps.hub.publish({ type: 'logs', jobId, attempt, lastSeq, stored });
  return lastSeq;
}
