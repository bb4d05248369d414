import { jobRoutes as contract, type JobEvent } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { findJob } from '../jobs/access.js';
import { JobChanges } from '../jobs/changes.js';
import { createJob } from '../jobs/create.js';
import { deleteJob } from '../jobs/delete.js';
import { stopJob } from '../jobs/transitions.js';
import { listJobs, viewJob } from '../jobs/view.js';
import { eventStreams, frame } from '../logs/sse.js';

export function jobRoutes(app: FastifyInstance, deps: Deps): void {
  const openStream = eventStreams(app);
  const changes = new JobChanges(deps);
  app.addHook('onClose', async () => changes.close());

  serve(app, contract.create, async ({ params, body, caller, request }) => {
    const key = request.headers['idempotency-key'];
    const id = await createJob(deps, caller, params, body, Array.isArray(key) ? key[0] : key);
    return viewJob(deps, id);
  });

  serve(app, contract.list, ({ query, caller }) =>
    listJobs(deps, { ...query, callerId: caller.userId, admin: caller.role === 'admin' }),
  );

  serve(app, contract.stream, ({ caller, reply }) => {
    const stream = openStream(reply);
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
    const leave = changes.join(({ jobs, metrics }) => {
      const seen = jobs.filter(
        (one) => caller.role === 'admin' || one.public || one.ownerId === caller.userId,
      );
      if (seen.length === 0) return;
      if (busy) {
        missed = true;
        return;
      }
      const names = seen.filter(({ job }) => metrics.has(job.id)).map(({ job }) => job.name);
      const changed = frame('jobs', { items: seen.map(({ job }) => job) });
      void send(names.length > 0 ? changed + frame('metrics', { names }) : changed);
    });
    stream.gone.addEventListener('abort', leave, { once: true });
    if (stream.gone.aborted) leave();
  });

  serve(app, contract.get, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'read');
    return viewJob(deps, job.id);
  });

  serve(app, contract.stop, async ({ params, caller }) => {
    const job = await findJob(deps, caller, params, 'write');
    await stopJob(deps, job.id, caller.name);
    return viewJob(deps, job.id);
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    await deleteJob(deps, await findJob(deps, caller, params, 'write'));
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
