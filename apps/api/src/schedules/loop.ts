import type { Deps } from '../deps.js';
import { openClock, type ScheduleClock, type Times } from './clock.js';
import { runDue } from './run.js';

const repairMs = 60_000;
/** What is overdue for so long was forgotten by the clock. */
const overdueSeconds = 5;

/**
 * Runs schedules when the clock ticks; what it has forgotten, or was due while nobody was there, the sweep finds. Any number of
 * apis may run it.
 */
export function startSchedules(deps: Deps): { close(): Promise<void> } {
  const { log, config } = deps;
  const run = async (scheduleId: string) => {
    try {
      await runDue(deps, scheduleId);
    } catch (error) {
      log.warn({ err: error, scheduleId }, 'a schedule could not be run; it is still due');
    }
  };
  const clock = openClock(config, log, run);
  let closed = false;
  let repairedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const sweep = async () => {
    try {
      for (const scheduleId of await overdue(deps)) await run(scheduleId);
      if (performance.now() - repairedAt < repairMs) return;
      repairedAt = performance.now();
      await repairClock(deps, clock);
    } catch (error) {
      log.warn({ err: error }, 'the sweep over schedules failed; it will be tried again');
      // A clock that couldn't be set is set as soon as it answers.
      repairedAt = Number.NEGATIVE_INFINITY;
    }
  };
  const next = () => {
    if (closed || running) return;
    clearTimeout(timer);
    running = sweep().finally(() => {
      running = undefined;
      if (!closed) timer = setTimeout(next, config.sweepSeconds * 1000);
    });
  };
  const leave = deps.hub.subscribe((signal) => {
    if (signal.type !== 'schedule') return;
    repairedAt = Number.NEGATIVE_INFINITY;
    next();
  });
  next();
  return {
    async close() {
      closed = true;
      leave();
      clearTimeout(timer);
      await running;
      await clock.close();
    },
  };
}

async function overdue(deps: Deps): Promise<string[]> {
  const { rows } = await deps.pool.query<{ id: string }>(
    `SELECT id FROM "Schedule" WHERE "pausedAt" IS NULL AND "nextRunAt" < $1 ORDER BY "nextRunAt" LIMIT 100`,
    [new Date(Date.now() - overdueSeconds * 1000)],
  );
  return rows.map(({ id }) => id);
}

/** Makes the clock know what the rows say, and nothing else: it may have lost all it knew. */
async function repairClock(deps: Deps, clock: ScheduleClock): Promise<void> {
  const { rows } = await deps.pool.query<Times & { id: string }>(
    'SELECT id, cron, timezone FROM "Schedule" WHERE "pausedAt" IS NULL',
  );
  const known = await clock.known();
  for (const { id, cron, timezone } of rows) {
    const has = known.get(id);
    known.delete(id);
    if (has?.cron !== cron || has.timezone !== timezone) await clock.set(id, { cron, timezone });
  }
  for (const id of known.keys()) await clock.remove(id);
}
