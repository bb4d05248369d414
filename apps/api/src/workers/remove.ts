import { AppError } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { hashToken } from '../http/tokens.js';
import { one, transaction } from '../jobs/sql.js';
import { loseAttempt } from '../jobs/transitions/end.js';

interface Held {
  jobId: string;
  attempt: number;
  fence: string;
}

/**
 * Takes a worker away at once: its calls are refused until it registers again, its jobs are tried again by others, and its
 * token is revoked unless other workers have it or the server's settings name it. Its name stays with the jobs it ran.
 * @throws AppError not_found; conflict when it runs jobs and `force` isn't said
 */
export async function removeWorker(
  deps: Deps,
  caller: UserPrincipal,
  id: string,
  force: boolean,
): Promise<{ name: string; jobs: number; tokenRevoked: boolean }> {
  const { worker, held } = await transaction(deps.pool, async (sql) => {
    // Waits for a claim that is half done; should one begin meanwhile, its lease runs out unrenewed.
    const worker = await one<{ name: string; tokenId: string | null }>(
      sql,
      `SELECT name, "tokenId" FROM "Worker" WHERE id = $1 AND "removedAt" IS NULL FOR UPDATE`,
      [id],
    );
    if (!worker)
      throw new AppError('not_found', `there is no worker ${id}`, { hint: 'See `mycloud workers`.' });
    const { rows: held } = await sql.query<Held>(
      `SELECT "jobId", number AS attempt, fence FROM "Attempt" WHERE "workerId" = $1 AND "endedAt" IS NULL`,
      [id],
    );
    if (held.length > 0 && !force) {
      const jobs = held.length === 1 ? 'a job' : `${held.length} jobs`;
      throw new AppError('conflict', `worker ${worker.name} runs ${jobs}`, {
        hint: `Let it finish (mycloud workers drain ${worker.name}), or have them tried again by others: --force.`,
      });
    }
    await sql.query(
      `UPDATE "Worker" SET "removedAt" = now(), "removedBy" = $2, draining = false, "lastSeenAt" = 'epoch' WHERE id = $1`,
      [id, caller.name],
    );
    await sql.query(
      `UPDATE "Attempt" SET "leaseUntil" = now() - interval '1 second' WHERE "workerId" = $1 AND "endedAt" IS NULL`,
      [id],
    );
    return { worker, held };
  });
  const tokenRevoked = worker.tokenId !== null && (await revokeUnshared(deps, worker.tokenId));
  await deps.hub.publish({ type: 'worker_removed', workerId: id });
  for (const lost of held) await loseAttempt(deps, lost);
  return { name: worker.name, jobs: held.length, tokenRevoked };
}

async function revokeUnshared(deps: Deps, tokenId: string): Promise<boolean> {
  const { workerToken } = deps.config.bootstrap;
  const { rowCount } = await deps.pool.query(
    `UPDATE "Token" SET "revokedAt" = now() WHERE id = $1 AND "revokedAt" IS NULL AND hash <> $2
       AND NOT EXISTS (SELECT 1 FROM "Worker" WHERE "tokenId" = $1 AND "removedAt" IS NULL)`,
    [tokenId, workerToken ? hashToken(workerToken) : ''],
  );
  if (!rowCount) return false;
  await deps.hub.publish({ type: 'login_over', loginId: tokenId });
  return true;
}
