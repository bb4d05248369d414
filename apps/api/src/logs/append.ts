import { AppError, type AttemptProof, type SentLine } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import type { StoredBatch } from '../hub.js';
import { one, prepared, type Sql, transaction } from '../jobs/sql.js';
import { staleFence } from '../jobs/transitions/lock.js';
import { lockAttempt } from '../workers/held.js';
import { type StoredLine, toStored } from './lines.js';

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
  const { lastSeq, stored } =
    (await appendNext(deps, caller, proof, firstSeq, storedLines)) ??
    (await appendRest(deps, caller, proof, firstSeq, storedLines));
  if (stored) await tellLines(deps, proof, stored);
  return lastSeq;
}

/** Tells followers in all apis of lines that are stored. */
export async function tellLines(deps: Deps, proof: AttemptProof, stored: StoredBatch): Promise<void> {
  const { jobId, attempt } = proof;
  deps.metrics.logLines.inc(stored.lines.length);
  deps.metrics.logBytes.inc(stored.lines.reduce((sum, line) => sum + Buffer.byteLength(line[2]), 0));
  const lastSeq = stored.firstSeq + stored.lines.length - 1;
  await deps.hub.publish({ type: 'logs', jobId, attempt, lastSeq, stored });
}

interface Appended {
  lastSeq: number;
  stored?: StoredBatch;
}

/** The rule: the batch goes on where the last one ended, which takes one statement. @returns undefined when it does not */
async function appendNext(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  firstSeq: number,
  lines: StoredLine[],
): Promise<Appended | undefined> {
  if (lines.length === 0) return undefined;
  const last = firstSeq + lines.length - 1;
  const held = await one<{ lastSeq: number }>(
    deps.pool,
    `WITH held AS (
       SELECT a."jobId", a.number, a."lastSeq" FROM "Attempt" a JOIN "Worker" w ON w.id = a."workerId"
       WHERE a."jobId" = $1 AND a.number = $2 AND a.fence = $3 AND a."endedAt" IS NULL AND mycloud_speaks_for($4, w)
       FOR NO KEY UPDATE OF a),
     batch AS (
       INSERT INTO "LogBatch" ("jobId", attempt, "firstSeq", "lastSeq", lines)
       SELECT "jobId", number, $5::int, $6::int, $7::jsonb FROM held WHERE "lastSeq" = $5 - 1),
     moved AS (
       UPDATE "Attempt" a SET "lastSeq" = $6 FROM held
       WHERE a."jobId" = held."jobId" AND a.number = held.number AND held."lastSeq" = $5 - 1)
     SELECT "lastSeq" FROM held`,
    [proof.jobId, proof.attempt, proof.fence, caller.tokenId, firstSeq, last, JSON.stringify(lines)],
  );
  if (!held) throw staleFence(proof.attempt);
  return held.lastSeq === firstSeq - 1 ? { lastSeq: last, stored: { firstSeq, lines } } : undefined;
}

/** Stores of a batch what is new, if it has the next line. */
function appendRest(
  deps: Deps,
  caller: WorkerPrincipal,
  proof: AttemptProof,
  firstSeq: number,
  lines: StoredLine[],
): Promise<Appended> {
  return transaction(deps.pool, async (sql) => {
    const { lastSeq } = await lockAttempt(sql, caller, proof);
    return storeRest(sql, proof, lastSeq, firstSeq, lines);
  });
}

/**
 * Stores of a batch what is new. holds: the attempt is locked, its last stored line is lastSeq
 * @throws AppError log_gap when lines before the batch are missing
 */
export async function storeRest(
  sql: Sql,
  proof: AttemptProof,
  lastSeq: number,
  firstSeq: number,
  lines: StoredLine[],
): Promise<Appended> {
  const expected = lastSeq + 1;
  if (firstSeq > expected) {
    throw new AppError('log_gap', `the lines ${expected} to ${firstSeq - 1} were never sent`, {
      hint: `Send again from line ${expected}.`,
      details: { expected },
    });
  }
  const fresh = lines.slice(expected - firstSeq);
  if (fresh.length === 0) return { lastSeq };
  const last = lastSeq + fresh.length;
  await sql.query(
    prepared(
      `WITH batch AS (
         INSERT INTO "LogBatch" ("jobId", attempt, "firstSeq", "lastSeq", lines) VALUES ($1, $2, $3, $4, $5))
       UPDATE "Attempt" SET "lastSeq" = $4 WHERE "jobId" = $1 AND number = $2`,
      [proof.jobId, proof.attempt, expected, last, JSON.stringify(fresh)],
    ),
  );
  return { lastSeq: last, stored: { firstSeq: expected, lines: fresh } };
}
