import { AppError, storageRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { one } from '../jobs/sql.js';
import { collectGarbage } from '../snapshots/gc/collect.js';
import { storageOf } from '../snapshots/quota.js';

export function storageRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.mine, ({ caller }) => storageOf(deps, caller.userId));

  serve(app, contract.setQuota, async ({ params, body }) => {
    const user = await one<{ id: string }>(
      deps.pool,
      'UPDATE "User" SET "quotaBytes" = $2 WHERE name = $1 RETURNING id',
      [params.user, body.quotaBytes],
    );
    if (!user) throw new AppError('not_found', `there is no user and no team ${params.user}`);
    return storageOf(deps, user.id);
  });

  serve(app, contract.collectGarbage, ({ body }) => collectGarbage(deps, body));
}
