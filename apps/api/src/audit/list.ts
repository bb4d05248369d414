import { AppError, type AuditEntry, type auditRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';

/** A page of the audit trail, newest first. @throws AppError bad_request for a cursor that is none */
export async function listAudit(
  { db }: Deps,
  { user, action, target, since, until, cursor, limit }: z.output<typeof auditRoutes.list.query>,
): Promise<{ items: AuditEntry[]; nextCursor: string | null }> {
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) {
    throw new AppError('bad_request', 'this cursor is none of ours', {
      hint: 'Begin again without a cursor.',
    });
  }
  const rows = await db.auditEntry.findMany({
    where: {
      user,
      action,
      target: target === undefined ? undefined : { contains: target },
      time: { gte: since, lt: until },
      id: cursor === undefined ? undefined : { lt: BigInt(cursor) },
    },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map(({ id, time, detail, ...entry }) => ({
    ...entry,
    id: String(id),
    time: time.toISOString(),
    detail: detail as Record<string, unknown>,
  }));
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
