import { type Retention, retentionSchema } from '@mycloud/shared';
import type { Deps } from '../deps.js';

const name = 'retention';

/** What an admin has set, else as the server is configured: logs for MYCLOUD_LOG_RETENTION_DAYS, all else for ever. */
export async function readRetention({ db, config }: Pick<Deps, 'db' | 'config'>): Promise<Retention> {
  const row = await db.setting.findUnique({ where: { name } });
  const configured = {
    logs: config.logRetentionDays === 0 ? null : config.logRetentionDays,
    outputs: null,
    metrics: null,
    audit: null,
  };
  return { ...configured, ...(row ? retentionSchema.partial().parse(row.value) : {}) };
}

/** Changes what is said; the rest stays as it is. */
export async function setRetention(deps: Deps, change: Partial<Retention>): Promise<Retention> {
  const said = Object.fromEntries(Object.entries(change).filter(([, days]) => days !== undefined));
  // Merged in the database: of two changes at once neither undoes the other.
  await deps.pool.query(
    `INSERT INTO "Setting" (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = "Setting".value || $2, "changedAt" = now()`,
    [name, JSON.stringify(said)],
  );
  return readRetention(deps);
}
