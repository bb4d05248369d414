import type { Deps } from '../deps.js';
import { compactLogs } from '../logs/compact.js';
import { forgetDeliveries } from '../notifications/deliveries.js';
import { expire } from '../retention/expire.js';
import { collectGarbage } from '../snapshots/gc/collect.js';
import { forgetOldRows, reconcile } from './reconcile.js';

const housekeepingMs = 3_600_000;

/** Starts the sweep over leases, tickets, stops, logs and the store. Any number of apis may run it. */
export function startJobLoops(deps: Deps): { close(): Promise<void> } {
  const everyMs = deps.config.sweepSeconds * 1000;
  const loops = [
    repeat(deps, everyMs, 'the sweep over leases and tickets', () => reconcile(deps)),
    repeat(deps, everyMs, 'the compaction of logs', () => compactLogs(deps)),
    repeat(deps, housekeepingMs, 'the housekeeping', async () => {
      await expire(deps);
      await forgetOldRows(deps);
      await forgetDeliveries(deps);
    }),
    // Not at once: it reads every manifest, and a start should be quick.
    repeat(
      deps,
      deps.config.gcSeconds * 1000,
      'freeing what nothing refers to',
      () => collectGarbage(deps, { dryRun: false }),
      deps.config.gcSeconds * 1000,
    ),
  ];
  return {
    async close() {
      await Promise.all(loops.map((stop) => stop()));
    },
  };
}

/**
 * Runs `work` after `firstMs` and then again, each run `ms` after the one before has ended.
 * @returns ends it, after the run under way
 */
function repeat(
  deps: Deps,
  ms: number,
  what: string,
  work: () => Promise<unknown>,
  firstMs = 0,
): () => Promise<void> {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    try {
      await work();
    } catch (error) {
      deps.log.error({ err: error }, `${what} failed; it will be tried again`);
    }
    if (!closed) begin(ms);
  };
  const begin = (after: number) => {
    timer = setTimeout(() => {
      running = run();
    }, after);
  };
  if (firstMs === 0) running = run();
  else begin(firstMs);
  return async () => {
    closed = true;
    clearTimeout(timer);
    await running;
  };
}
