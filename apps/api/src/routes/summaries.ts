import { summaryRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import type { SavedOutputs } from '../tensorboard/saved-outputs.js';
import { openSummaries } from '../tensorboard/summaries.js';

export function summaryRoutes(app: FastifyInstance, deps: Deps, outputs: SavedOutputs): void {
  const summaries = openSummaries(deps, outputs);
  serve(app, contract.get, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return summaries(job.id);
  });
}
