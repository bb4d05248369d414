import { metricRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { bucketSeries } from '../metrics/buckets.js';
import { listSeries, readSeries } from '../metrics/read.js';
import { SharedReads } from '../metrics/shared-reads.js';

export function metricRoutes(app: FastifyInstance, deps: Deps): void {
  const shared = new SharedReads(deps);
  app.addHook('onClose', async () => shared.close());

  serve(app, contract.list, async ({ params, query, caller, reply }) => {
    const jobId = await shared.find(caller, params);
    const read = async () =>
      contract.list.response.parse({ items: await listSeries(deps, jobId, query.extremes) });
    return reply.type('application/json').send(await shared.json(jobId, `list ${query.extremes}`, read));
  });

  serve(app, contract.series, async ({ params, query, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return { points: await readSeries(deps, job.id, query.name, query.limit) };
  });

  serve(app, contract.buckets, async ({ params, query, caller, reply }) => {
    const jobId = await shared.find(caller, params);
    const read = async () => contract.buckets.response.parse(await bucketSeries(deps, jobId, query));
    return reply.type('application/json').send(await shared.json(jobId, JSON.stringify(query), read));
  });
}
