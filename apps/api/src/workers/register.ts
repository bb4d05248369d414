import { AppError, apartFrom, version, type workerRoutes } from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { newId } from '../jobs/id.js';
import { one } from '../jobs/sql.js';
import { storable } from '../jobs/text.js';

type Body = z.output<typeof workerRoutes.register.body>;

/**
 * Takes a worker in; the same name of the same owner's is the same worker, come back. One that an admin took away is back by this.
 * @throws AppError bad_request for a release too far apart or a machine the catalogue doesn't have; conflict for a name that another token has
 */
export async function registerWorker(deps: Deps, caller: WorkerPrincipal, body: Body) {
  const apart = apartFrom(body.version);
  if (apart) {
    throw new AppError(
      'bad_request',
      `worker ${body.name} is of release ${body.version}, this server of ${version}: too far apart to work together`,
      {
        hint:
          apart === 'older'
            ? `Bring the worker up to date: to ${version}, or one minor release beside it.`
            : `Bring the server up to date first: to ${body.version}, or one minor release beside it.`,
      },
    );
  }
  const machines = [...new Set(body.machines)].map((name) => deps.catalogue.machine(name));
  const row = await one<{ id: string }>(
    deps.pool,
    `INSERT INTO "Worker" (id, "ownerId", name, version, runner, machines, cores, "memoryBytes", gpus, limits, images, "tokenId")
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT ("ownerId", name) DO UPDATE SET version = $4, runner = $5, machines = $6, cores = $7,
       "memoryBytes" = $8, gpus = $9, limits = $10, images = $11, "tokenId" = $12, "lastSeenAt" = now(),
       "removedAt" = NULL, "removedBy" = NULL
     WHERE mycloud_speaks_for($12, "Worker") OR NOT EXISTS (SELECT 1 FROM "Token" t
       WHERE t.id = "Worker"."tokenId" AND t."revokedAt" IS NULL AND coalesce(t."expiresAt" > now(), true))
     RETURNING id`,
    [
      newId(),
      caller.userId,
      storable(body.name),
      storable(body.version),
      storable(body.runner),
      machines.map((machine) => machine.name),
      body.cores,
      body.memoryBytes,
      body.gpus,
      storable(body.limits),
      body.images,
      caller.tokenId,
    ],
  );
  if (!row) {
    throw new AppError('conflict', `there is a worker ${body.name} already, registered with another token`, {
      hint: 'Give this one another name (MYCLOUD_WORKER_NAME), or revoke the token of the other.',
    });
  }
  return { workerId: row.id, leaseSeconds: deps.config.leaseSeconds, machines };
}
