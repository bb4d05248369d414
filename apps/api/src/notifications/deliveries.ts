import { AppError, type Delivery, parseNotifyAddress } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { checkAddress } from './address.js';
import { announceDeliveries } from './outbox.js';

interface Row {
  id: string;
  event: Delivery['event'];
  address: string;
  job: string | null;
  state: Delivery['state'];
  tries: number;
  answer: string | null;
  createdAt: Date;
  endedAt: Date | null;
  nextTryAt: Date;
}

const select = `SELECT d.id, d.event, d.address, u.name || '/projects/' || p.name || '/' || j.number AS job, d.state, d.tries,
    d.answer, d."createdAt", d."endedAt", d."nextTryAt"
  FROM "Delivery" d LEFT JOIN "Job" j ON j.id = d."jobId" LEFT JOIN "Project" p ON p.id = j."projectId"
    LEFT JOIN "User" u ON u.id = p."ownerId"`;

const view = ({ createdAt, endedAt, nextTryAt, ...row }: Row): Delivery => ({
  ...row,
  kind: parseNotifyAddress(row.address)?.kind ?? 'webhook',
  createdAt: createdAt.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
  nextTryAt: row.state === 'pending' ? nextTryAt.toISOString() : null,
});

/** The user's own, newest first. */
export async function listDeliveries(
  deps: Deps,
  caller: UserPrincipal,
  asked: { state?: string; cursor?: string; limit: number },
): Promise<{ items: Delivery[]; nextCursor: string | null }> {
  // Their ids are in the order of their making.
  const { rows } = await deps.pool.query<Row>(
    `${select} WHERE d."userId" = $1 AND ($2::text IS NULL OR d.state = $2) AND ($3::text IS NULL OR d.id < $3::uuid)
     ORDER BY d.id DESC LIMIT $4`,
    [caller.userId, asked.state ?? null, asked.cursor ?? null, asked.limit + 1],
  );
  const items = rows.slice(0, asked.limit).map(view);
  return { items, nextCursor: rows.length > asked.limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws AppError not_found for one that isn't there or is another's */
export async function findDelivery(deps: Deps, caller: UserPrincipal, id: string): Promise<Delivery> {
  const row = await one<Row>(deps.pool, `${select} WHERE d.id = $1 AND d."userId" = $2`, [id, caller.userId]);
  if (row) return view(row);
  throw new AppError('not_found', `there is no delivery ${id} of yours`);
}

/** Sends a test by the same way as the end of a job. @throws AppError bad_request for an address it can't send to */
export async function sendTest(deps: Deps, caller: UserPrincipal, address: string): Promise<Delivery> {
  await checkAddress(deps, address);
  const id = newId();
  await deps.pool.query(`INSERT INTO "Delivery" (id, "userId", address, event) VALUES ($1, $2, $3, 'test')`, [
    id,
    caller.userId,
    address,
  ]);
  await announceDeliveries(deps);
  return findDelivery(deps, caller, id);
}

const keptDays = 30;

/** Deliveries that are over are kept for a month, as a log. */
export async function forgetDeliveries(deps: Deps): Promise<void> {
  await deps.pool.query(
    `DELETE FROM "Delivery" WHERE state <> 'pending' AND "endedAt" < now() - make_interval(days => $1)`,
    [keptDays],
  );
}
