import { metricRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { bucketSeries } from '../metrics/buckets.js';
import { listSeries, readSeries } from '../metrics/read.js';

export function metricRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.list, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return { items: await listSeries(deps, job.id, query.extremes) };
  });

  serve(app, contract.series, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return { points: await readSeries(deps, job.id, query.name, query.limit) };
  });

  serve(app, contract.buckets, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return bucketSeries(deps, job.id, query);
  });
}
