import { AppError, projectRoutes as contract, type Project } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import type { Need } from '../http/owners.js';
import { after, newestFirst, page } from '../http/page.js';
import type { UserPrincipal } from '../http/principal.js';
import { etag, ifMatch, requireRevision, revisionOf } from '../http/revision.js';
import { serve } from '../http/route.js';
import { visible } from '../http/visible.js';
import { findProject } from '../jobs/access.js';
import { refuseNul } from '../jobs/text.js';
import { createProject } from '../projects/create.js';

interface ProjectWithOwner {
  id: string;
  name: string;
  description: string;
  public: boolean;
  lastJob: number;
  createdAt: Date;
  owner: { name: string };
}

const view = ({
  id,
  name,
  description,
  public: open,
  lastJob,
  createdAt,
  owner,
}: ProjectWithOwner): Project => ({
  id,
  owner: owner.name,
  name,
  description,
  public: open,
  lastJob,
  createdAt: createdAt.toISOString(),
  revision: revisionOf([description, open]),
});
const withOwner = { owner: { select: { name: true } } } as const;

export function projectRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps;
  const find = (caller: UserPrincipal, params: { owner: string; project: string }, need: Need) =>
    findProject(deps, caller, params.owner, params.project, need);

  serve(app, contract.list, async ({ query, caller }) => {
    const rows = await db.project.findMany({
      where: {
        AND: [visible(caller), after(query.cursor), query.owner ? { owner: { name: query.owner } } : {}],
      },
      include: withOwner,
      orderBy: newestFirst,
      take: query.limit + 1,
    });
    return page(rows, query.limit, view);
  });

  serve(app, contract.create, async ({ body, caller }) => {
    const { id } = await createProject(deps, caller, body);
    return view(await db.project.findUniqueOrThrow({ where: { id }, include: withOwner }));
  });

  serve(app, contract.get, async ({ params, caller, reply }) => {
    const { id } = await find(caller, params, 'read');
    const project = view(await db.project.findUniqueOrThrow({ where: { id }, include: withOwner }));
    reply.header('etag', etag(project.revision));
    return project;
  });

  serve(app, contract.update, async ({ params, body, caller, request, reply }) => {
    const { id, owner, name } = await find(caller, params, 'write');
    if (body.description !== undefined) refuseNul({ description: body.description });
    const wanted = ifMatch(request);
    const project = await db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM "Project" WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
      const old = view(await tx.project.findUniqueOrThrow({ where: { id }, include: withOwner }));
      requireRevision(`${owner}/projects/${name}`, old.revision, wanted);
      return view(await tx.project.update({ where: { id }, data: body, include: withOwner }));
    });
    reply.header('etag', etag(project.revision));
    return project;
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    const { id } = await find(caller, params, 'manage');
    const open = await db.job.count({
      where: { projectId: id, status: { in: ['queued', 'preparing', 'running', 'saving'] } },
    });
    if (open > 0) {
      throw new AppError('conflict', `${open} jobs of ${params.project} have not ended`, {
        hint: 'Stop them first.',
      });
    }
    await db.project.delete({ where: { id } });
  });
}
