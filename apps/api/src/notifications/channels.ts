import { AppError, type EndStatus, type NotificationChannel, parseNotifyAddress } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { findProject } from '../jobs/access.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { checkAddress } from './address.js';

interface Row {
  id: string;
  address: string;
  project: string | null;
  statuses: EndStatus[];
  failingSince: Date | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  createdAt: Date;
}

const select = `SELECT c.id, c.address, u.name || '/projects/' || p.name AS project, c.statuses, c."failingSince",
    c."disabledAt", c."disabledReason", c."createdAt"
  FROM "NotificationChannel" c LEFT JOIN "Project" p ON p.id = c."projectId" LEFT JOIN "User" u ON u.id = p."ownerId"`;
const mostChannels = 50;

const view = ({ failingSince, disabledAt, createdAt, ...row }: Row): NotificationChannel => ({
  ...row,
  kind: parseNotifyAddress(row.address)?.kind ?? 'webhook',
  failingSince: failingSince?.toISOString() ?? null,
  disabledAt: disabledAt?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
});

export async function listChannels(deps: Deps, caller: UserPrincipal): Promise<NotificationChannel[]> {
  const { rows } = await deps.pool.query<Row>(`${select} WHERE c."userId" = $1 ORDER BY c.id`, [
    caller.userId,
  ]);
  return rows.map(view);
}

/** Adding what is there already changes which ends it hears of. @throws AppError bad_request, conflict, not_found */
export async function addChannel(
  deps: Deps,
  caller: UserPrincipal,
  asked: { address: string; project: { owner: string; project: string } | null; statuses: EndStatus[] },
): Promise<NotificationChannel> {
  const { address, project, statuses } = asked;
  await checkAddress(deps, address);
  const at = project && (await findProject(deps, caller, project.owner, project.project, 'read'));
  const { rows } = await deps.pool.query<{ id: string }>(
    `INSERT INTO "NotificationChannel" (id, "userId", "projectId", address, statuses)
     SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM "NotificationChannel" WHERE "userId" = $2) < $6
     ON CONFLICT ("userId", "projectId", address)
       DO UPDATE SET statuses = $5, "failingSince" = NULL, "disabledAt" = NULL, "disabledReason" = NULL
     RETURNING id`,
    [newId(), caller.userId, at?.id ?? null, address, [...new Set(statuses)], mostChannels],
  );
  if (!rows[0]) {
    throw new AppError('conflict', `you have ${mostChannels} addresses that are notified already`, {
      hint: 'Remove one first: mycloud notify list, mycloud notify remove ID',
    });
  }
  return findChannel(deps, caller, rows[0].id);
}

/** @throws AppError not_found for one that isn't there or is another's */
export async function removeChannel(deps: Deps, caller: UserPrincipal, id: string): Promise<void> {
  const { rowCount } = await deps.pool.query(
    'DELETE FROM "NotificationChannel" WHERE id = $1 AND "userId" = $2',
    [id, caller.userId],
  );
  if (rowCount === 0) throw unknown(id);
}

/** Sends to it again. @throws AppError not_found */
export async function enableChannel(
  deps: Deps,
  caller: UserPrincipal,
  id: string,
): Promise<NotificationChannel> {
  await deps.pool.query(
    `UPDATE "NotificationChannel" SET "failingSince" = NULL, "disabledAt" = NULL, "disabledReason" = NULL
     WHERE id = $1 AND "userId" = $2`,
    [id, caller.userId],
  );
  return findChannel(deps, caller, id);
}

async function findChannel(deps: Deps, caller: UserPrincipal, id: string): Promise<NotificationChannel> {
  const row = await one<Row>(deps.pool, `${select} WHERE c.id = $1 AND c."userId" = $2`, [id, caller.userId]);
  if (!row) throw unknown(id);
  return view(row);
}

const unknown = (id: string): AppError =>
  new AppError('not_found', `you have no notification channel ${id}`, {
    hint: 'Run `mycloud notify list` to see those there are.',
  });
