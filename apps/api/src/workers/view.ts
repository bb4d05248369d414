import { AppError, jobName, type WorkerInfo, type WorkerUse } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';

/** A worker not heard of for this many lease terms is away. */
const termsUntilAway = 2;

/** Since when one must have been heard of to count as here. */
export const aliveSince = (deps: Deps): Date =>
  new Date(Date.now() - termsUntilAway * deps.config.leaseSeconds * 1000);

const withJobs = {
  attempts: {
    where: { endedAt: null },
    include: { job: { include: { project: { include: { owner: true } } } } },
  },
} as const;

/** The workers as this caller may see them: another's private job is counted, and not named. */
export async function viewWorkers(
  deps: Deps,
  caller: UserPrincipal,
  where: { id?: string } = {},
): Promise<WorkerInfo[]> {
  const workers = await deps.db.worker.findMany({
    where: { ...where, removedAt: null },
    orderBy: { name: 'asc' },
    include: withJobs,
  });
  const since = aliveSince(deps);
  const owners = readableOwners(caller);
  return workers.map(
    ({ attempts, memoryBytes, lastSeenAt, use, environments: _, unwanted: __, tokenId: ___, ...worker }) => {
      const seen = attempts.filter(
        ({ job }) => caller.role === 'admin' || job.project.public || owners.includes(job.project.ownerId),
      );
      return {
        ...worker,
        memoryBytes: Number(memoryBytes),
        lastSeenAt: lastSeenAt.toISOString(),
        alive: lastSeenAt > since,
        use: use as WorkerUse | null,
        jobs: seen.map(({ job }) =>
          jobName({ owner: job.project.owner.name, project: job.project.name, number: job.number }),
        ),
        otherJobs: attempts.length - seen.length,
      };
    },
  );
}

/**
 * Lets a worker finish what it has and take nothing new, or takes that back. It holds until it is taken back, whatever
 * restarts meanwhile. @throws AppError not_found
 */
export async function drainWorker(
  deps: Deps,
  caller: UserPrincipal,
  id: string,
  draining: boolean,
): Promise<WorkerInfo> {
  const { count } = await deps.db.worker.updateMany({ where: { id, removedAt: null }, data: { draining } });
  const [worker] = await viewWorkers(deps, caller, { id });
  if (count === 0 || !worker) {
    throw new AppError('not_found', `there is no worker ${id}`, { hint: 'See `mycloud workers`.' });
  }
  // What waited for it is looked at again at once.
  if (!draining) {
    for (const machine of worker.machines) await deps.hub.publish({ type: 'wake', machine });
  }
  return worker;
}
