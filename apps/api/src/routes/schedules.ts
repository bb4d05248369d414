import { scheduleRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import { serve } from '../http/route.js';
import { viewJob } from '../jobs/view.js';
import { runNow } from '../schedules/run.js';
import { viewSchedule, viewSchedules } from '../schedules/view.js';
import { createSchedule, deleteSchedule, findSchedule, updateSchedule } from '../schedules/write.js';

export function scheduleRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.create, async ({ params, body, caller }) =>
    viewSchedule(deps, await createSchedule(deps, caller, params, body)),
  );

  serve(app, contract.list, async ({ query, caller }) => ({
    items: await viewSchedules(
      deps,
      '(c."ownerId" = $1 OR p."ownerId" = ANY($5::uuid[]) OR $2) AND ($3::text IS NULL OR u.name = $3) AND ($4::text IS NULL OR p.name = $4)',
      [
        caller.userId,
        caller.role === 'admin',
        query.owner ?? null,
        query.project ?? null,
        readableOwners(caller),
      ],
    ),
  }));

  serve(app, contract.get, async ({ params, caller }) =>
    viewSchedule(deps, await findSchedule(deps, caller, params, 'read')),
  );

  serve(app, contract.update, async ({ params, body, caller }) => {
    const id = await findSchedule(deps, caller, params, 'write');
    await updateSchedule(deps, id, body);
    return viewSchedule(deps, id);
  });

  serve(app, contract.run, async ({ params, caller }) =>
    viewJob(deps, await runNow(deps, await findSchedule(deps, caller, params, 'write'))),
  );

  serve(app, contract.delete, async ({ params, caller }) =>
    deleteSchedule(deps, await findSchedule(deps, caller, params, 'write')),
  );
}
