import type { Finding } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { withinMs } from '../within.js';
import { checkClock, checkDatabase, checkMigrations } from './database.js';
import { checkLeases, checkNotifications, checkSchedules, checkWaiting, checkWorkers } from './life.js';
import { checkDisk, checkMail, checkQueue, checkStore } from './services.js';

/** A look at one thing; what it throws is a problem, mended as `hint` says. */
export interface Check {
  name: string;
  hint: string;
  look(deps: Deps): Promise<Omit<Finding, 'name'>>;
}

const checks: readonly Check[] = [
  checkDatabase,
  checkMigrations,
  checkClock,
  checkQueue,
  checkStore,
  checkDisk,
  checkMail,
  checkWorkers,
  checkLeases,
  checkWaiting,
  checkSchedules,
  checkNotifications,
];
const longestMs = 10_000;

/** Looks at everything the server stands on, all at once; one that hangs is a problem as one that fails. */
export function runChecks(deps: Deps): Promise<Finding[]> {
  return Promise.all(
    checks.map(async ({ name, hint, look }): Promise<Finding> => {
      try {
        return { name, ...(await withinMs(look(deps), longestMs)) };
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        return { name, state: 'problem', text, hint };
      }
    }),
  );
}
