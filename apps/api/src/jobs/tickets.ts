import type { Deps } from '../deps.js';

export interface Queued {
  id: string;
  machine: string;
  priority: number;
  attempt: number;
}

/** Wakes whoever may run a job that was just queued: long polls by the hub, workers by a ticket. */
export async function announceQueued(deps: Deps, job: Queued): Promise<void> {
  await deps.hub.publish({ type: 'wake', machine: job.machine });
  // Not waited for: the row is the truth, and the sweep sends the ticket again where this fails.
  void sendTicket(deps, job);
}

/**
 * Puts the ticket for a job's next attempt into its machine's queue. holds: the row counts it as sent already, so that
 * nothing touches the row while a worker claims it; a failure unmarks it and is left to the sweep.
 */
export async function sendTicket(deps: Deps, job: Queued): Promise<void> {
  try {
    await deps.tickets.send(job.machine, { jobId: job.id, attempt: job.attempt + 1 }, job.priority);
  } catch (error) {
    deps.log.warn({ err: error, jobId: job.id }, 'its ticket was not sent; the sweep will send it');
    await unmark(deps, job);
  }
}

/** Makes the sweep send it at its next turn; where even this fails, the ticket's age does. */
async function unmark(deps: Deps, job: Queued): Promise<void> {
  try {
    await deps.pool.query('UPDATE "Job" SET "ticketAt" = NULL WHERE id = $1', [job.id]);
  } catch (error) {
    deps.log.warn({ err: error, jobId: job.id }, 'its ticket could not be marked as lost');
  }
}
