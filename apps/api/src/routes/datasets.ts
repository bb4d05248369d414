import { datasetRoutes as contract, type JobStatus, jobName } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { findDataset, findVersion } from '../datasets/access.js';
import { viewDataset, viewVersion, withLatest } from '../datasets/view.js';
import { addVersion, createDataset, deleteVersion, mountsOf, refuseInUse } from '../datasets/write.js';
import type { Deps } from '../deps.js';
import { after, newestFirst, page } from '../http/page.js';
import { serve } from '../http/route.js';
import { visible } from '../http/visible.js';

export function datasetRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps;

  serve(app, contract.list, async ({ query, caller }) => {
    const rows = await db.dataset.findMany({
      where: {
        AND: [visible(caller), after(query.cursor), query.owner ? { owner: { name: query.owner } } : {}],
      },
      include: withLatest,
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, viewDataset);
  });

  serve(app, contract.create, async ({ body, caller }) =>
    viewDataset(await createDataset(deps, caller, body)),
  );

  serve(app, contract.get, async ({ params, caller }) =>
    viewDataset(await findDataset(deps, caller, params, 'read')),
  );

  serve(app, contract.delete, async ({ params, caller }) => {
    const dataset = await findDataset(deps, caller, params, 'manage');
    await refuseInUse(deps, dataset);
    await db.dataset.delete({ where: { id: dataset.id } });
  });

  serve(app, contract.versions, async ({ params, query, caller }) => {
    const dataset = await findDataset(deps, caller, params, 'read');
    const rows = await db.datasetVersion.findMany({
      where: { AND: [{ datasetId: dataset.id }, after(query.cursor)] },
      include: { snapshot: true },
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, (row) => viewVersion(dataset, row));
  });

  serve(app, contract.addVersion, async ({ params, body, caller }) => {
    const dataset = await findDataset(deps, caller, params, 'write');
    return viewVersion(dataset, await addVersion(deps, dataset, body));
  });

  serve(app, contract.version, async ({ params, caller }) => {
    const dataset = await findDataset(deps, caller, params, 'read');
    return viewVersion(dataset, await findVersion(deps, dataset, params.number));
  });

  serve(app, contract.uses, async ({ params, query, caller }) => {
    const dataset = await findDataset(deps, caller, params, 'read');
    const { cursor, limit } = query;
    const source = mountsOf(dataset, query.number);
    const rows = await db.job.findMany({
      where: { AND: [{ mounts: { some: { source } }, project: visible(caller) }, after(cursor)] },
      include: { project: { include: { owner: true } }, mounts: { where: { source } } },
      orderBy: newestFirst,
      take: limit + 1,
    });
    return page(rows, limit, (job) => ({
      id: job.id,
      job: jobName({ owner: job.project.owner.name, project: job.project.name, number: job.number }),
      status: job.status as JobStatus,
      number: Number(job.mounts[0]!.source.split('/').at(-1)),
      createdAt: job.createdAt.toISOString(),
    }));
  });

  serve(app, contract.deleteVersion, async ({ params, caller }) => {
    await deleteVersion(deps, await findDataset(deps, caller, params, 'manage'), params.number);
  });
}
