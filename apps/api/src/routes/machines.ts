import { machineRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { listQueue } from '../jobs/queue.js';
import { listEnvironments, removeBuilt } from '../workers/environments.js';
import { removeWorker } from '../workers/remove.js';
import { aliveSince, drainWorker, viewWorkers } from '../workers/view.js';

export function machineRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.machines, async () => {
    const workers = await deps.db.worker.findMany({
      where: { lastSeenAt: { gt: aliveSince(deps) }, draining: false },
      select: { machines: true },
    });
    const offering = (name: string) => workers.filter((worker) => worker.machines.includes(name)).length;
    return {
      items: deps.catalogue.machines.map((machine) => ({ ...machine, workers: offering(machine.name) })),
    };
  });

  serve(app, contract.environments, () => listEnvironments(deps));

  serve(app, contract.deleteEnvironment, async ({ params, query }) => ({
    items: await removeBuilt(deps, params.name, query.worker),
  }));

  serve(app, contract.workers, async ({ caller }) => ({ items: await viewWorkers(deps, caller) }));

  serve(app, contract.drain, ({ params, body, caller }) =>
    drainWorker(deps, caller, params.id, body.draining),
  );

  serve(app, contract.removeWorker, ({ params, query, caller }) =>
    removeWorker(deps, caller, params.id, query.force),
  );

  serve(app, contract.queue, ({ query, caller }) => listQueue(deps, caller, query.limit));
}
