import {
  AppError,
  datasetRoutes as contract,
  datasetName,
  type JobStatus,
  jobName,
  nearest,
  type Version,
} from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { isDangling } from '../database/faults.js';
import type { Deps } from '../deps.js';
import { after, newestFirst, page } from '../http/page.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import { visible } from '../http/visible.js';

interface VersionRow {
  id: string;
  number: number;
  message: string;
  snapshotId: string;
  createdAt: Date;
  snapshot: { hash: string; files: number; bytes: bigint; storedBytes: bigint };
}

interface DatasetRow {
  id: string;
  ownerId: string;
  name: string;
  description: string;
  public: boolean;
  createdAt: Date;
  owner: { name: string };
  versions: VersionRow[];
}

const viewVersion = (dataset: { owner: { name: string }; name: string }, row: VersionRow): Version => ({
  id: row.id,
  name: datasetName(dataset.owner.name, dataset.name, row.number),
  number: row.number,
  message: row.message,
  snapshotId: row.snapshotId,
  snapshot: row.snapshot.hash,
  files: row.snapshot.files,
  bytes: Number(row.snapshot.bytes),
  storedBytes: Number(row.snapshot.storedBytes),
  createdAt: row.createdAt.toISOString(),
});

const view = (row: DatasetRow) => ({
  id: row.id,
  owner: row.owner.name,
  name: row.name,
  description: row.description,
  public: row.public,
  latest: row.versions[0] ? viewVersion(row, row.versions[0]) : null,
  createdAt: row.createdAt.toISOString(),
});

const withLatest = {
  owner: { select: { name: true } },
  versions: { orderBy: { number: 'desc' }, take: 1, include: { snapshot: true } },
} as const;

export function datasetRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps;

  /** @throws AppError not_found with the nearest names; forbidden for a write to another's public one */
  async function find(
    caller: UserPrincipal,
    at: { owner: string; dataset: string },
    need: 'read' | 'write',
  ): Promise<DatasetRow> {
    const row = await db.dataset.findFirst({
      where: { AND: [{ name: at.dataset, owner: { name: at.owner } }, visible(caller)] },
      include: withLatest,
    });
    if (!row) {
      const known = await db.dataset.findMany({
        where: visible(caller),
        include: { owner: true },
        take: 1000,
        orderBy: newestFirst,
      });
      const near = nearest(
        datasetName(at.owner, at.dataset),
        known.map((dataset) => datasetName(dataset.owner.name, dataset.name)),
      );
      throw new AppError(
        'not_found',
        `there is no dataset ${datasetName(at.owner, at.dataset)}, or you may not see it`,
        {
          hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : undefined,
        },
      );
    }
    if (need === 'write' && row.ownerId !== caller.userId && caller.role !== 'admin') {
      throw new AppError(
        'forbidden',
        `${datasetName(at.owner, at.dataset)} belongs to ${at.owner}; you may only read it`,
      );
    }
    return row;
  }

  async function findVersion(dataset: DatasetRow, number: number): Promise<VersionRow> {
    const row = await db.datasetVersion.findUnique({
      where: { datasetId_number: { datasetId: dataset.id, number } },
      include: { snapshot: true },
    });
    if (row) return row;
    throw new AppError('not_found', `there is no ${datasetName(dataset.owner.name, dataset.name, number)}`, {
      hint: dataset.versions[0]
        ? `The newest version is ${dataset.versions[0].number}.`
        : 'It has no version yet.',
    });
  }

  /** The `where` of mounts of a dataset, or of one version. LIKE, which Prisma asks by, takes `_` for any character. */
  const mounted = (dataset: DatasetRow, number?: number) =>
    number === undefined
      ? { startsWith: `${datasetName(dataset.owner.name, dataset.name)}/`.replaceAll('_', '\\_') }
      : datasetName(dataset.owner.name, dataset.name, number);

  /** Jobs that have not ended need their inputs. */
  async function refuseInUse(dataset: DatasetRow, number?: number): Promise<void> {
    const mount = await db.mount.findFirst({
      where: {
        source: mounted(dataset, number),
        job: { status: { in: ['queued', 'preparing', 'running'] } },
      },
      include: { job: { include: { project: true } } },
    });
    if (!mount) return;
    throw new AppError('conflict', `job ${mount.job.project.name}/${mount.job.number} uses ${mount.source}`, {
      hint: 'Wait for its end, or stop it.',
    });
  }

  serve(app, contract.list, async ({ query, caller }) => {
    const rows = await db.dataset.findMany({
      where: {
        AND: [visible(caller), after(query.cursor), query.owner ? { owner: { name: query.owner } } : {}],
      },
      include: withLatest,
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, view);
  });

  serve(app, contract.create, async ({ body, caller }) => {
    const taken = await db.dataset.findUnique({
      where: { ownerId_name: { ownerId: caller.userId, name: body.name } },
    });
    if (taken) throw new AppError('conflict', `you have a dataset ${body.name} already`);
    return view(await db.dataset.create({ data: { ...body, ownerId: caller.userId }, include: withLatest }));
  });

  serve(app, contract.get, async ({ params, caller }) => view(await find(caller, params, 'read')));

  serve(app, contract.delete, async ({ params, caller }) => {
    const dataset = await find(caller, params, 'write');
    await refuseInUse(dataset);
    await db.dataset.delete({ where: { id: dataset.id } });
  });

  serve(app, contract.versions, async ({ params, query, caller }) => {
    const dataset = await find(caller, params, 'read');
    const rows = await db.datasetVersion.findMany({
      where: { AND: [{ datasetId: dataset.id }, after(query.cursor)] },
      include: { snapshot: true },
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, (row) => viewVersion(dataset, row));
  });

  serve(app, contract.addVersion, async ({ params, body, caller }) => {
    const dataset = await find(caller, params, 'write');
    const snapshot = await db.snapshot.findFirst({
      where: { id: body.snapshotId, ownerId: dataset.ownerId },
    });
    const gone = (cause?: unknown) =>
      new AppError('not_found', `there is no snapshot ${body.snapshotId} of ${params.owner}`, {
        cause,
        hint: 'Upload it first.',
      });
    if (!snapshot) throw gone();
    const made = db.$transaction(async (tx) => {
      // The row's lock makes versions come one after the other; numbers aren't used twice.
      const { lastVersion } = await tx.dataset.update({
        where: { id: dataset.id },
        data: { lastVersion: { increment: 1 } },
      });
      const latest = await tx.datasetVersion.findFirst({
        where: { datasetId: dataset.id },
        orderBy: { number: 'desc' },
        include: { snapshot: true },
      });
      if (latest?.snapshotId === snapshot.id) {
        await tx.dataset.update({ where: { id: dataset.id }, data: { lastVersion: { decrement: 1 } } });
        return latest;
      }
      return tx.datasetVersion.create({
        data: { datasetId: dataset.id, number: lastVersion, message: body.message, snapshotId: snapshot.id },
        include: { snapshot: true },
      });
    });
    const row = await made.catch((error: unknown) => {
      throw isDangling(error) ? gone(error) : error;
    });
    return viewVersion(dataset, row);
  });

  serve(app, contract.version, async ({ params, caller }) => {
    const dataset = await find(caller, params, 'read');
    return viewVersion(dataset, await findVersion(dataset, params.number));
  });

  serve(app, contract.uses, async ({ params, query, caller }) => {
    const dataset = await find(caller, params, 'read');
    const { cursor, limit } = query;
    const source = mounted(dataset, query.number);
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
    const dataset = await find(caller, params, 'write');
    const version = await findVersion(dataset, params.number);
    await refuseInUse(dataset, params.number);
    await db.datasetVersion.delete({ where: { id: version.id } });
  });
}
