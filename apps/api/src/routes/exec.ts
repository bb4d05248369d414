import { AppError, execRoutes as contract, type ExecStart, execStartSchema, jobName } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import { noteAudit, recordAction } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { ownRight, reaches } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import { findJob, type JobRef } from '../jobs/access.js';
import { addEvent } from '../jobs/events.js';
import { join } from '../tunnels/join.js';
import { requireRunning } from '../tunnels/running.js';
import type { Tunnels } from '../tunnels/tunnels.js';
import type { Upgrades } from '../tunnels/upgrades.js';

/** Commands inside running jobs: the caller's WebSocket and the worker's, joined. */
export function execRoutes(app: FastifyInstance, deps: Deps, tunnels: Tunnels, upgrades: Upgrades): void {
  serve(app, contract.open, async ({ params, caller, request, reply }) => {
    const job = await findJob(deps, caller, params, 'read');
    requireSubmitter(caller, job);
    if (!upgrades.of(request)) await upgrades.accept(request, reply);
    const held = await requireRunning(deps, job);
    const worker = await tunnels.open(held, 'exec');
    const client = await upgrades.accept(request, reply);
    try {
      const { text, start } = await startOf(client);
      await noteExec(deps, caller, held, start);
      // The connection is taken over: no answer goes by the hook that does it for others.
      noteAudit(request, { detail: { command: start.command.join(' ').slice(0, 500) } });
      await recordAction(deps, request);
      join(client, worker);
      worker.send(text);
    } catch (error) {
      deps.log.debug({ err: error }, 'a command in a job could not begin');
      client.close(1008, 'the first message is no ExecStart');
      worker.close();
    }
    return reply;
  });
}

/** Whoever runs code in a job acts as its owner: only who could submit it may. @throws AppError forbidden */
function requireSubmitter(caller: UserPrincipal, { project, number }: JobRef): void {
  if (reaches(ownRight(caller, project.ownerId), 'write')) return;
  const name = jobName({ owner: project.owner, project: project.name, number });
  throw new AppError('forbidden', `${name} belongs to ${project.owner}; you may only look at it`, {
    hint: 'Submit a job of your own with the same code and data.',
  });
}

async function startOf(client: WebSocket): Promise<{ text: string; start: ExecStart }> {
  const text = await new Promise<string>((resolve, reject) => {
    client.once('close', () => reject(new Error('the client has gone')));
    // holds: it sends nothing more before the worker has answered
    client.once('message', (data) => resolve(String(data)));
  });
  return { text, start: execStartSchema.parse(JSON.parse(text)) };
}

async function noteExec(
  deps: Deps,
  caller: UserPrincipal,
  { jobId, attempt }: { jobId: string; attempt: number },
  { command }: ExecStart,
): Promise<void> {
  const words = command.join(' ');
  const what =
    command.length > 0
      ? `ran in it: ${words.length > 500 ? `${words.slice(0, 500)}…` : words}`
      : 'opened a shell in it';
  await addEvent(deps.pool, { jobId, attempt, type: 'exec', message: `${caller.name} ${what}` });
  await deps.hub.publish({ type: 'job', jobId });
}
