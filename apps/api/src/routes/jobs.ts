import { jobRoutes as contract, type JobEvent } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { entryWithAction } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { readableOwners } from '../http/owners.js';
import { etag, ifMatch } from '../http/revision.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { JobChanges } from '../jobs/changes.js';
import { createJob } from '../jobs/create.js';
import { deleteJob } from '../jobs/delete.js';
import { editJob } from '../jobs/edit.js';
import { listJobs } from '../jobs/list.js';
import { restartJob } from '../jobs/restart.js';
import { stopJob } from '../jobs/transitions/stop.js';
import { viewJob } from '../jobs/view.js';
import { eventStreams, frame } from '../logs/sse.js';

export function jobRoutes(app: FastifyInstance, deps: Deps): void {
  const openStream = eventStreams(app, deps.hub);
  const changes = new JobChanges(deps);
  app.addHook('onClose', async () => changes.close());

  serve(app, contract.create, async ({ params, body, caller, request }) =>
    viewJob(
      deps,
      await createJob(deps, caller, params, body, idempotencyKey(request), {
        audit: entryWithAction(request),
      }),
    ),
  );

  serve(app, contract.list, ({ query, caller }) =>
    listJobs(deps, { ...query, owners: readableOwners(caller), admin: caller.role === 'admin' }),
  );

  serve(app, contract.stream, ({ caller, reply }) => {
    const stream = openStream(reply);
    const owners = new Set(readableOwners(caller));
    let busy = false;
    let missed = false;
    const send = async (frames: string) => {
      busy = true;
      await stream.write(frames);
      // A page too slow for all that happens is told to read again, once it has read what it was sent.
      while (missed && !stream.gone.aborted) {
        missed = false;
        await stream.write(frame('missed', {}));
      }
      busy = false;
    };
    const leave = changes.join(({ jobs, metrics, gone }) => {
      const seen = jobs.filter((one) => caller.role === 'admin' || one.public || owners.has(one.ownerId));
      if (seen.length === 0 && gone.length === 0) return;
      if (busy) {
        missed = true;
        return;
      }
      const names = seen.filter(({ job }) => metrics.has(job.id)).map(({ job }) => job.name);
      const frames = [
        seen.length > 0 && frame('jobs', { items: seen.map(({ job }) => job) }),
        names.length > 0 && frame('metrics', { names }),
        gone.length > 0 && frame('gone', { ids: gone }),
      ];
      void send(frames.filter(Boolean).join(''));
    });
    stream.gone.addEventListener('abort', leave, { once: true });
    if (stream.gone.aborted) leave();
  });

  serve(app, contract.get, async ({ params, caller, reply }) => {
    const job = await viewJob(deps, (await findJob(deps, caller, params, 'read')).id);
    reply.header('etag', etag(job.revision));
    return job;
  });

  serve(app, contract.update, async ({ params, body, caller, request, reply }) => {
    const found = await findJob(deps, caller, params, 'write');
    await editJob(deps, found, body, ifMatch(request));
    const job = await viewJob(deps, found.id);
    reply.header('etag', etag(job.revision));
    return job;
  });

  serve(app, contract.restart, async ({ params, body, caller, request }) => {
    const job = await findJob(deps, caller, params, 'read');
    const audit = entryWithAction(request);
    return viewJob(deps, await restartJob(deps, caller, job, body, idempotencyKey(request), audit));
  });

  serve(app, contract.stop, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'write');
    await stopJob(deps, job.id, caller.name);
    return viewJob(deps, job.id);
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    await deleteJob(deps, await findJob(deps, caller, params, 'manage'));
  });

  serve(app, contract.events, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    const { rows } = await deps.pool.query<Omit<JobEvent, 'time'> & { time: Date }>(
      'SELECT time, attempt, type, reason, message FROM "Event" WHERE "jobId" = $1 ORDER BY id',
      [job.id],
    );
    return { items: rows.map((row) => ({ ...row, time: row.time.toISOString() })) };
  });
}

function idempotencyKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  return Array.isArray(key) ? key[0] : key;
}
