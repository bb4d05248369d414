import { jobRoutes as contract, type JobEvent } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { createJob } from '../jobs/create.js';
import { deleteJob } from '../jobs/delete.js';
import { stopJob } from '../jobs/transitions.js';
import { listJobs, viewJob } from '../jobs/view.js';

export function jobRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.create, async ({ params, body, caller, request }) => {
    const key = request.headers['idempotency-key'];
    const id = await createJob(deps, caller, params, body, Array.isArray(key) ? key[0] : key);
    return viewJob(deps, id);
  });

  serve(app, contract.list, ({ query, caller }) =>
    listJobs(deps, { ...query, callerId: caller.userId, admin: caller.role === 'admin' }),
  );

  serve(app, contract.get, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return viewJob(deps, job.id);
  });

  serve(app, contract.stop, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'write');
    await stopJob(deps, job.id, caller.name);
    return viewJob(deps, job.id);
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    await deleteJob(deps, await findJob(deps, caller, params, 'write'));
  });

  serve(app, contract.events, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    const { rows } = await deps.pool.query<Omit<JobEvent, 'time'> & { time: Date }>(
      'SELECT time, attempt, type, reason, message FROM "Event" WHERE "jobId" = $1 ORDER BY id',
      [job.id],
    );
    return { items: rows.map((row) => ({ ...row, time: row.time.toISOString() })) };
  });
}
