import { machineRoutes as contract, jobName } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';

/** A worker not heard of for this many lease terms is away. */
const termsUntilAway = 2;

export function machineRoutes(app: FastifyInstance, deps: Deps): void {
  const aliveSince = () => new Date(Date.now() - termsUntilAway * deps.config.leaseSeconds * 1000);

  serve(app, contract.machines, async () => {
    const workers = await deps.db.worker.findMany({
      where: { lastSeenAt: { gt: aliveSince() } },
      select: { machines: true },
    });
    const offering = (name: string) => workers.filter((worker) => worker.machines.includes(name)).length;
    return {
      items: deps.catalogue.machines.map((machine) => ({ ...machine, workers: offering(machine.name) })),
    };
  });

  serve(app, contract.environments, () => ({ items: deps.catalogue.environments }));

  serve(app, contract.workers, async ({ caller }) => {
    const workers = await deps.db.worker.findMany({
      orderBy: { name: 'asc' },
      include: {
        attempts: {
          where: { endedAt: null },
          include: { job: { include: { project: { include: { owner: true } } } } },
        },
      },
    });
    const since = aliveSince();
    return {
      items: workers.map(({ attempts, memoryBytes, lastSeenAt, ...worker }) => ({
        ...worker,
        memoryBytes: Number(memoryBytes),
        lastSeenAt: lastSeenAt.toISOString(),
        alive: lastSeenAt > since,
        // Another's private job is not named.
        jobs: attempts
          .filter(
            ({ job }) =>
              caller.role === 'admin' || job.project.public || job.project.ownerId === caller.userId,
          )
          .map(({ job }) =>
            jobName({ owner: job.project.owner.name, project: job.project.name, number: job.number }),
          ),
      })),
    };
  });
}
