import { pendingMigrations } from '../database/migrate.js';
import type { Check } from './checks.js';

const slowMs = 100;
const mostSkewMs = 2000;

export const checkDatabase: Check = {
  name: 'Database',
  hint: 'Is Postgres running, is DATABASE_URL right, and are connections left (max_connections)?',
  async look({ pool, config }) {
    const began = performance.now();
    const { rows } = await pool.query<{ version: string; bytes: string; used: number; most: number }>(
      `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes,
         (SELECT count(*) FROM pg_stat_activity)::int AS used, current_setting('max_connections')::int AS most`,
    );
    const ms = performance.now() - began;
    const { version, bytes, used, most } = rows[0]!;
    const text = `PostgreSQL ${version}, ${(Number(bytes) / 1e6).toFixed(0)} MB, ${used} of ${most} connections, answered in ${ms.toFixed(0)} ms`;
    if (used > most * 0.9) {
      const hint = `Raise max_connections, or have each api take fewer than ${config.databaseConnections} by MYCLOUD_DATABASE_CONNECTIONS.`;
      return { state: 'problem', text, hint };
    }
    if (ms < slowMs) return { state: 'ok', text };
    return {
      state: 'note',
      text,
      hint: 'Is it far away, or busy? Every call waits for it; look at its CPU and disk.',
    };
  },
};

export const checkMigrations: Check = {
  name: 'Migrations',
  hint: 'Restart the api: it brings the database up to date itself.',
  async look({ pool }) {
    const missing = await pendingMigrations(pool);
    if (missing.length === 0) return { state: 'ok', text: 'the database is as this release wants it' };
    return { state: 'problem', text: `${missing.join(', ')} not applied`, hint: checkMigrations.hint };
  },
};

export const checkClock: Check = {
  name: 'Database clock',
  hint: 'Set the clocks by NTP (timedatectl set-ntp true) on the api and the database.',
  async look({ pool }) {
    const before = Date.now();
    const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const after = Date.now();
    const skew = Math.round(rows[0]!.now.getTime() - (before + after) / 2);
    const text = `the database's clock is ${Math.abs(skew)} ms ${skew < 0 ? 'behind' : 'ahead of'} this api's`;
    // Leases are judged by the database's clock alone; schedules and signed URLs by the api's.
    if (Math.abs(skew) <= mostSkewMs) return { state: 'ok', text };
    return { state: 'problem', text, hint: checkClock.hint };
  },
};
