import { AppError, storageRoutes as contract, type Storage } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { one } from '../jobs/sql.js';
import { collectGarbage } from '../snapshots/gc/collect.js';
import { quotaOf, storedBytes } from '../snapshots/quota.js';

export function storageRoutes(app: FastifyInstance, deps: Deps): void {
  async function storageOf(ownerId: string): Promise<Storage> {
    const logical = await one<{ bytes: string }>(
      deps.pool,
      'SELECT COALESCE(sum(bytes), 0) AS bytes FROM "Snapshot" WHERE "ownerId" = $1',
      [ownerId],
    );
    return {
      logicalBytes: Number(logical?.bytes ?? 0),
      storedBytes: await storedBytes(deps.pool, ownerId, false),
      quotaBytes: await quotaOf(deps, deps.pool, ownerId),
    };
  }

  serve(app, contract.mine, ({ caller }) => storageOf(caller.userId));

  serve(app, contract.setQuota, async ({ params, body }) => {
    const user = await one<{ id: string }>(
      deps.pool,
      'UPDATE "User" SET "quotaBytes" = $2 WHERE name = $1 RETURNING id',
      [params.user, body.quotaBytes],
    );
    if (!user) throw new AppError('not_found', `there is no user ${params.user}`);
    return storageOf(user.id);
  });

  serve(app, contract.collectGarbage, ({ body }) => collectGarbage(deps, body));
}
