import { AppError, type ReadinessCheck } from '@mycloud/shared';
import { pendingMigrations } from './database/migrate.js';
import type { Deps } from './deps.js';
import { withinMs } from './within.js';

/** Whether this api may get traffic. Once it leaves, it never may again. */
export interface Readiness {
  readonly leaving: boolean;
  /** From now on a proxy that asks is told to send nothing more. */
  leave(): void;
}

export function openReadiness(): Readiness {
  let leaving = false;
  return {
    get leaving() {
      return leaving;
    },
    leave() {
      leaving = true;
    },
  };
}

const checkMs = 3000;

/** @throws AppError unavailable once this api leaves */
export function checkStays({ readiness }: Pick<Deps, 'readiness'>): void {
  if (!readiness.leaving) return;
  throw new AppError('unavailable', 'this api is shutting down', { hint: 'Ask another one.' });
}

/**
 * Looks at all this api stands on.
 * @throws AppError unavailable that names what is away (details.checks)
 */
export async function checkReady(deps: Deps): Promise<Record<ReadinessCheck, 'ok'>> {
  checkStays(deps);
  const looks: Record<ReadinessCheck, () => Promise<unknown>> = {
    database: () => deps.pool.query('SELECT 1'),
    migrations: async () => {
      const missing = await pendingMigrations(deps.pool);
      if (missing.length > 0) throw new Error(`${missing.join(', ')} not applied`);
    },
    store: () => deps.store.check(),
    queue: () => deps.tickets.check(),
  };
  const found = await Promise.all(
    Object.entries(looks).map(async ([name, look]): Promise<[string, string]> => {
      try {
        await withinMs(look(), checkMs);
        return [name, 'ok'];
      } catch (error) {
        return [name, error instanceof Error ? error.message : String(error)];
      }
    }),
  );
  const away = found.filter(([, said]) => said !== 'ok');
  if (away.length === 0) return { database: 'ok', migrations: 'ok', store: 'ok', queue: 'ok' };
  throw new AppError(
    'unavailable',
    `not ready: ${away.map(([name, said]) => `${name}: ${said}`).join('; ')}`,
    {
      hint: 'Run `mycloud doctor` as an admin: it says how to mend it.',
      details: { checks: Object.fromEntries(found) },
    },
  );
}
