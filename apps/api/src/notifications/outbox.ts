import type { EndStatus } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';
import { prepared, type Sql } from '../jobs/sql.js';

/** Whoever may no longer log in tells nobody anything, whatever of his still runs. */
const mayTell = `EXISTS (SELECT 1 FROM "User" u WHERE u.id = j."ownerId" AND u."disabledAt" IS NULL)`;

/** Does anybody want to hear of this job's end? Joined to the row of the job, as `j`. */
export const isHeardOf = `((j.notify <> '{}' OR EXISTS (
  SELECT 1 FROM "NotificationChannel" c WHERE c."userId" = j."ownerId" AND c."disabledAt" IS NULL
    AND (c."projectId" IS NULL OR c."projectId" = j."projectId"))) AND ${mayTell})`;

/**
 * Writes down, in the transaction that ends a job, who is to hear of it: whatever happens to this api, they will. An address that
 * stands in several places hears once.
 */
export async function addDeliveries(sql: Sql, jobId: string, status: EndStatus): Promise<void> {
  const { rows } = await sql.query<{ address: string; channelId: string | null; userId: string }>(
    prepared(
      `SELECT DISTINCT ON (address) address, "channelId", "userId" FROM (
         SELECT c.address, c.id AS "channelId", c."userId" FROM "Job" j
           JOIN "NotificationChannel" c ON c."userId" = j."ownerId" AND c."disabledAt" IS NULL
             AND (c."projectId" IS NULL OR c."projectId" = j."projectId") AND $2 = ANY(c.statuses)
         WHERE j.id = $1
         UNION ALL
         SELECT a.address, NULL::uuid, j."ownerId" FROM "Job" j CROSS JOIN LATERAL unnest(j.notify) a(address) WHERE j.id = $1) all_of
       ORDER BY address, "channelId" NULLS LAST`,
      [jobId, status],
    ),
  );
  if (rows.length === 0) return;
  await sql.query(
    `INSERT INTO "Delivery" (id, "userId", "channelId", "jobId", address, event)
     SELECT id, "userId", "channelId", $1, address, 'job.ended'
     FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) d(id, "userId", "channelId", address)`,
    [
      jobId,
      rows.map(newId),
      rows.map((row) => row.userId),
      rows.map((row) => row.channelId),
      rows.map((row) => row.address),
    ],
  );
}

/** Wakes whichever api sends. */
export const announceDeliveries = (deps: Deps): Promise<void> => deps.hub.publish({ type: 'delivery' });
