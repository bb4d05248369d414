import type { Reason } from '@mycloud/shared';
import { prepared, type Sql } from './sql.js';
import { storable } from './text.js';

/** Writes one step of a job's life. */
export function addEvent(
  sql: Sql,
  event: { jobId: string; attempt: number; type: string; reason?: Reason | null; message: string },
): Promise<unknown> {
  return sql.query(
    prepared('INSERT INTO "Event" ("jobId", attempt, type, reason, message) VALUES ($1, $2, $3, $4, $5)', [
      event.jobId,
      event.attempt,
      event.type,
      event.reason ?? null,
      storable(event.message),
    ]),
  );
}
