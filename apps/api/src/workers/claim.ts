import type { Assignment, Ticket } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { claimJob } from '../jobs/transitions/claim.js';
import { assignmentOf } from './assignment.js';
import { findWorker, type WorkerRow } from './held.js';

/** A waiting worker looks this often by itself, should it have looked while another held what it then left. */
const lookMs = 5000;

export interface ClaimRequest {
  workerId: string;
  machines: string[];
  ticket?: Ticket;
  waitSeconds: number;
}

/**
 * Takes a job for a worker; without a ticket it waits up to waitSeconds for one to come.
 * @param gone aborted when the worker has hung up: nothing is claimed for it then
 */
export async function claim(
  deps: Deps,
  caller: WorkerPrincipal,
  asked: ClaimRequest,
  gone: AbortSignal,
): Promise<Assignment | null> {
  const worker = await findWorker(deps.pool, caller, asked.workerId);
  const machines = asked.machines.filter(
    (name) => worker.machines.includes(name) && runs(deps, worker, name),
  );
  const take = async () => {
    if (gone.aborted || machines.length === 0) return null;
    const began = Date.now();
    const claimed = await claimJob(deps, worker, machines, asked.ticket);
    if (!claimed) return null;
    return traced(deps, worker, assignmentOf(deps, worker, claimed), { began, waited: claimed.waited });
  };
  if (asked.ticket || asked.waitSeconds === 0) return take();

  // Listening comes before looking, so that a job queued in between is not slept over.
  const bell = listen(deps, machines, gone);
  try {
    const until = Date.now() + asked.waitSeconds * 1000;
    for (;;) {
      const seen = bell.rings();
      const assignment = await take();
      if (assignment || gone.aborted || Date.now() >= until) return assignment;
      await bell.wait(seen, Math.min(lookMs, until - Date.now()));
    }
  } finally {
    bell.close();
  }
}

/** Its time in the queue and its claim become spans of the trace it was submitted in; the worker's belong to the claim. */
function traced(
  deps: Deps,
  worker: WorkerRow,
  assignment: Assignment,
  { began, waited }: { began: number; waited: number },
): Assignment {
  const { traceparent: parent, jobId, name, attempt, machine } = assignment;
  if (!parent) return assignment;
  const attributes = {
    'mycloud.job': name,
    'mycloud.job_id': jobId,
    'mycloud.attempt': attempt,
    'mycloud.worker': worker.name,
    'mycloud.machine': machine.name,
  };
  const queued = deps.tracing.start('queued', { parent, attributes, startedAt: began - waited * 1000 });
  queued.end();
  const claim = deps.tracing.start('claim', { kind: 'producer', parent, attributes, startedAt: began });
  claim.end();
  return { ...assignment, traceparent: claim.traceparent ?? parent };
}

/** Without its GPUs a machine is offered only by an embedded server, which says so in the first log line. */
function runs(deps: Deps, worker: WorkerRow, name: string): boolean {
  const machine = deps.catalogue.machines.find((one) => one.name === name);
  return machine !== undefined && (deps.config.embedded || machine.gpus <= worker.gpus);
}

/** Rings when a job for one of these machines may have come, or the worker has gone. */
function listen(deps: Deps, machines: string[], gone: AbortSignal) {
  let rings = 0;
  let wake: (() => void) | undefined;
  const ring = () => {
    rings += 1;
    wake?.();
  };
  const ends = [
    deps.hub.subscribe((signal) => {
      if (signal.type === 'wake' && machines.includes(signal.machine)) ring();
    }),
    deps.hub.onGap(ring),
  ];
  gone.addEventListener('abort', ring, { once: true });
  return {
    rings: () => rings,
    async wait(seen: number, ms: number): Promise<void> {
      if (rings !== seen) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = undefined;
    },
    close(): void {
      gone.removeEventListener('abort', ring);
      for (const end of ends) end();
    },
  };
}
