import { floydRoutes as contract, type FloydJob, type Job, jobName } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import { serve } from '../http/route.js';
import { createJob } from '../jobs/create.js';
import { deleteJob } from '../jobs/delete.js';
import { listJobs } from '../jobs/list.js';
import { restartJob } from '../jobs/restart.js';
import { stopJob } from '../jobs/transitions/stop.js';
import { viewJob } from '../jobs/view.js';
import { ensureProject, findNamedJob, findOwnProject, readName } from './names.js';
import { originOf } from './origin.js';
import { jobBody, restartChange } from './run.js';
import { codeOf, instanceModeOf, stateOf } from './words.js';

/** The client shows all it gets in one table. */
const listed = 500;

const endlessSeconds = 365 * 86_400;

/** The old floyd's words for jobs. */
export function experimentRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.project, async ({ params, caller }) => {
    const at = readName(params['*'], 'projects', caller);
    const found = await findOwnProject(deps, caller, at);
    const row =
      found && (await deps.db.project.findUniqueOrThrow({ where: { id: found.id }, include: lastJob }));
    const newest = row?.jobs[0];
    return {
      id: `${at.owner}/projects/${at.name}`,
      name: at.name,
      description: row?.description ?? '',
      public: row?.public ?? false,
      latest_experiment_name: newest
        ? jobName({ owner: at.owner, project: at.name, number: newest.number })
        : null,
    };
  });

  serve(app, contract.jobs, async ({ query, caller, request }) => {
    const { owner, name: project } = readName(query.family_id, 'projects', caller);
    const { items } = await listJobs(deps, {
      owners: readableOwners(caller),
      admin: caller.role === 'admin',
      owner,
      project,
      sort: 'made',
      order: 'desc',
      limit: listed,
    });
    return items.map((job) => view(deps, job, request));
  });

  serve(app, contract.job, async ({ params, caller, request }) => {
    const { job } = await findNamedJob(deps, caller, params['*'], 'read');
    return view(deps, await viewJob(deps, job.id), request);
  });

  serve(app, contract.stop, async ({ params, caller }) => {
    const { job } = await findNamedJob(deps, caller, params['*'], 'write');
    await stopJob(deps, job.id, caller.name);
    return {};
  });

  serve(app, contract.deleteJob, async ({ params, caller }) => {
    const { job } = await findNamedJob(deps, caller, params['*'], 'manage');
    await deleteJob(deps, job);
    return {};
  });

  serve(app, contract.run, async ({ body, caller }) => {
    const { owner, name: project } = readName(body.name, 'projects', caller);
    const wanted = jobBody(deps, body);
    await ensureProject(deps, caller, { owner, name: project });
    return made(deps, await createJob(deps, caller, { owner, project }, wanted, undefined));
  });

  serve(app, contract.restart, async ({ params, body, caller }) => {
    const { job } = await findNamedJob(deps, caller, params['*'], 'read');
    return made(deps, await restartJob(deps, caller, job, restartChange(deps, body), undefined));
  });

  serve(app, contract.taskInstance, async ({ params, caller }) => {
    const { job } = await findNamedJob(deps, caller, params['*'], 'read');
    const { mode } = await viewJob(deps, job.id);
    return {
      id: job.id,
      log_id: job.id,
      mode: instanceModeOf[mode],
      module_id: `${nameOf(job)}/code`,
      output_ids_dict: {},
    };
  });
}

const lastJob = { jobs: { orderBy: { number: 'desc' }, take: 1, select: { number: true } } } as const;

const nameOf = ({ number, project }: { number: number; project: { owner: string; name: string } }): string =>
  jobName({ owner: project.owner, project: project.name, number });

async function made(deps: Deps, id: string) {
  const { name } = await viewJob(deps, id);
  return { id, name };
}

function view(deps: Deps, job: Job, request: FastifyRequest): FloydJob {
  const end = job.finishedAt ? Date.parse(job.finishedAt) : Date.now();
  const at = `${originOf(deps, request)}/${job.name}`;
  const node = { taskInstanceId: job.id, type: 'module_node' as const };
  return {
    id: job.id,
    name: job.name,
    created: job.createdAt,
    description: job.description,
    state: stateOf[job.status],
    duration: job.startedAt ? Math.max(0, (end - Date.parse(job.startedAt)) / 1000) : 0,
    mode: job.mode,
    logId: job.id,
    instanceLogId: job.id,
    instanceOutputId: job.outputSnapshotId,
    instanceType: codeOf(job.machine),
    // Of a Jupyter or a server the client wants a number.
    timeout_seconds: job.maxRuntimeSeconds ?? (job.mode === 'command' ? null : endlessSeconds),
    tensorboardUrl: job.tensorboard ? `${at}/tensorboard` : null,
    serviceUrl: job.mode === 'command' ? null : `${at}/${job.mode}/`,
    latest_metrics: job.metrics,
    canvas: { nodes: job.codeSnapshotId ? { code: node } : {} },
  };
}
