import { workerRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { storable } from '../jobs/text.js';
import { setStage } from '../jobs/transitions/begin.js';
import { finishAttempt } from '../jobs/transitions/finish.js';
import { appendLines } from '../logs/append.js';
import { eventStreams } from '../logs/sse.js';
import { appendMetrics } from '../metrics/write.js';
import { join } from '../tunnels/join.js';
import { Relay } from '../tunnels/relay.js';
import type { Tunnels } from '../tunnels/tunnels.js';
import type { Upgrades } from '../tunnels/upgrades.js';
import { claim } from '../workers/claim.js';
import { streamCommands } from '../workers/commands.js';
import { noteEvent } from '../workers/event.js';
import { renewLeases } from '../workers/heartbeat.js';
import { findWorker } from '../workers/held.js';
import { nameOutput } from '../workers/output.js';
import { registerWorker } from '../workers/register.js';

/** The workers' protocol. Each write of an attempt is checked by its fence; a stale one answers 409. */
export function workerRoutes(app: FastifyInstance, deps: Deps, tunnels: Tunnels, upgrades: Upgrades): void {
  const openStream = eventStreams(app, deps.hub);
  // Claims that wait end when the worker hangs up or the server closes, which would wait for them otherwise.
  const waiting = new Set<AbortController>();
  app.addHook('preClose', async () => {
    for (const gone of waiting) gone.abort();
  });

  serve(app, contract.register, ({ body, caller }) => registerWorker(deps, caller, body));

  serve(app, contract.heartbeat, ({ body, caller }) => renewLeases(deps, caller, body));

  serve(app, contract.claim, async ({ body, caller, reply }) => {
    const gone = new AbortController();
    waiting.add(gone);
    reply.raw.once('close', () => {
      waiting.delete(gone);
      gone.abort();
    });
    return { assignment: await claim(deps, caller, body, gone.signal) };
  });

  serve(app, contract.status, ({ params, body, caller }) =>
    setStage(deps, { ...body, jobId: params.jobId }, caller.tokenId, body.status),
  );

  serve(app, contract.logs, async ({ params, body, caller }) => {
    const proof = { ...body, jobId: params.jobId };
    const lastSeq = await appendLines(deps, caller, proof, body.firstSeq, body.lines);
    if (body.progress !== undefined) {
      const text = storable(body.progress);
      await deps.hub.publish({ type: 'progress', jobId: params.jobId, attempt: body.attempt, text });
    }
    return { lastSeq };
  });

  serve(app, contract.metrics, ({ params, body, caller }) =>
    appendMetrics(deps, caller, { ...body, jobId: params.jobId }, body.batchId, body.points),
  );

  serve(app, contract.output, ({ params, body, caller }) =>
    nameOutput(deps, caller, { ...body, jobId: params.jobId }, body.snapshotId),
  );

  serve(app, contract.event, ({ params, body, caller }) =>
    noteEvent(deps, caller, { ...body, jobId: params.jobId }, body.type, body.message),
  );

  serve(app, contract.finish, ({ params, body, caller }) =>
    finishAttempt(deps, { ...body, jobId: params.jobId }, caller.tokenId, body),
  );

  serve(app, contract.commands, async ({ query, caller, reply }) => {
    const worker = await findWorker(deps.pool, caller, query.workerId);
    await streamCommands(deps, worker, openStream(reply));
  });

  const relay = new Relay(deps);
  serve(app, contract.tunnel, async ({ params: { tunnelId }, caller, request, reply }) => {
    if (tunnels.waitsFor(tunnelId)) {
      await tunnels.expected(caller, tunnelId);
      tunnels.arrived(tunnelId, await upgrades.accept(request, reply));
      return reply;
    }
    if (!upgrades.of(request)) await upgrades.accept(request, reply);
    const other = await relay.open(request, tunnelId);
    join(await upgrades.accept(request, reply), other);
    other.resume();
    return reply;
  });

  serve(app, contract.refuseTunnel, async ({ params, body, caller, request }) => {
    if (!tunnels.waitsFor(params.tunnelId)) return relay.refuse(request, params.tunnelId, body);
    await tunnels.expected(caller, params.tunnelId);
    tunnels.refused(params.tunnelId, body.why, body.detail);
  });
}
