import type { Deps } from '../deps.js';
import { invitationDays } from '../invitations/invitations.js';
import { forgetDeletedTeams } from '../teams/teams.js';
import { transaction } from './sql.js';
import { type Queued, sendTicket } from './tickets.js';
import { loseAttempt } from './transitions/end.js';

const ticketAgeSeconds = 60;

/** What any api does every sweepSeconds; many of them at once do no harm. */
export async function reconcile(deps: Deps): Promise<void> {
  await graceAfterAbsence(deps);
  await endLostAttempts(deps);
  await sendLostTickets(deps);
  await repeatStops(deps);
}

/**
 * How long without a sweep counts as an absence of all apis, seconds. A shorter one must leave a lease, renewed every
 * third of its term, time enough to be renewed afterwards; a sweep that comes late must not be taken for one.
 */
const absence = ({ leaseSeconds, sweepSeconds }: Deps['config']): number =>
  Math.max(2, 1.5 * sweepSeconds, Math.min(3 * sweepSeconds, leaseSeconds / 3));

/** While no api was there no lease could be renewed: each gets a full term before it is judged. */
async function graceAfterAbsence(deps: Deps): Promise<void> {
  const { leaseSeconds } = deps.config;
  await transaction(deps.pool, async (sql) => {
    // The first insert of all makes the row old, so that it counts as an absence.
    await sql.query(
      `INSERT INTO "Heartbeat" (name, at) VALUES ('leases', 'epoch') ON CONFLICT (name) DO NOTHING`,
    );
    const { rows } = await sql.query<{ away: boolean }>(
      `SELECT at < now() - make_interval(secs => $1) AS away FROM "Heartbeat" WHERE name = 'leases' FOR UPDATE`,
      [absence(deps.config)],
    );
    if (rows[0]?.away) {
      const { rowCount } = await sql.query(
        `UPDATE "Attempt" SET "leaseUntil" = GREATEST("leaseUntil", now() + make_interval(secs => $1))
         WHERE "endedAt" IS NULL`,
        [leaseSeconds],
      );
      if (rowCount) deps.log.info({ leases: rowCount }, 'back after an absence: every lease has a full term');
    }
    await sql.query(`UPDATE "Heartbeat" SET at = now() WHERE name = 'leases'`);
  });
}

async function endLostAttempts(deps: Deps): Promise<void> {
  const { rows } = await deps.pool.query<{ jobId: string; attempt: number; fence: string }>(
    `SELECT "jobId", number AS attempt, fence FROM "Attempt"
     WHERE "endedAt" IS NULL AND "leaseUntil" < now() ORDER BY "leaseUntil" LIMIT 500`,
  );
  for (const lost of rows) {
    if (!(await loseAttempt(deps, lost))) continue;
    deps.metrics.leasesLost.inc();
    deps.log.warn(lost, 'its worker was lost');
  }
}

/** The row is marked first, so that of many apis one sends it; a failed send unmarks it. */
async function sendLostTickets(deps: Deps): Promise<void> {
  const { rows } = await deps.pool.query<Queued>(
    `UPDATE "Job" j SET "ticketAt" = now() FROM (
       SELECT id FROM "Job" WHERE status = 'queued' AND ("ticketAt" IS NULL OR "ticketAt" < now() - make_interval(secs => $1))
       ORDER BY priority, "queuedAt" LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED) lost
     WHERE j.id = lost.id RETURNING j.id, j.machine, j.priority, j.attempt`,
    [ticketAgeSeconds],
  );
  for (const job of rows) await sendTicket(deps, job);
  for (const machine of new Set(rows.map((job) => job.machine))) {
    await deps.hub.publish({ type: 'wake', machine });
  }
}

/** A stop that its worker hasn't followed is said again. */
async function repeatStops(deps: Deps): Promise<void> {
  const { rows } = await deps.pool.query<{ jobId: string; workerId: string }>(
    `SELECT a."jobId", a."workerId" FROM "Job" j JOIN "Attempt" a ON a."jobId" = j.id AND a.number = j.attempt
     WHERE j.status IN ('preparing', 'running') AND j."stopRequestedBy" IS NOT NULL AND a."endedAt" IS NULL LIMIT 500`,
  );
  for (const stop of rows) await deps.hub.publish({ type: 'stop', ...stop });
}

/** Deletes rows that only made repeated calls harmless and are too old for one, and what deleted jobs left. */
export async function forgetOldRows(deps: Deps): Promise<void> {
  await deps.pool.query(`DELETE FROM "IdempotencyKey" WHERE "createdAt" < now() - interval '7 days'`);
  for (const table of ['Session', 'OpenLink']) {
    await deps.pool.query(`DELETE FROM "${table}" WHERE "expiresAt" < now()`);
  }
  await deps.pool.query(`DELETE FROM "Tries" WHERE "endsAt" < now()`);
  await deps.pool.query(
    `DELETE FROM "MetricBatch" m USING "Job" j
     WHERE j.id = m."jobId" AND j."finishedAt" < now() - interval '1 day'`,
  );
  await deps.pool.query(`DELETE FROM "Invitation" WHERE "createdAt" < now() - make_interval(days => $1)`, [
    invitationDays,
  ]);
  await forgetDeletedTeams(deps);
  // Lines and batches have no foreign key, which would cost each append: a deleted project leaves them to this.
  for (const table of ['LogBatch', 'MetricBatch']) {
    await deps.pool.query(
      `DELETE FROM "${table}" t WHERE NOT EXISTS (SELECT 1 FROM "Job" j WHERE j.id = t."jobId")`,
    );
  }
}
