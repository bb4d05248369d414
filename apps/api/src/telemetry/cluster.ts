import type { Gauge } from '@mycloud/telemetry';
import type pg from 'pg';

type Tell = (value: number, labels?: Record<string, string>) => void;
interface ClusterGauge {
  name: string;
  help: string;
  labelNames: string[];
  collect(this: Gauge): Promise<void>;
}

/** Every api tells the same of these: a query takes their maximum over the apis, not their sum. */
const tellMs = 5000;
const storeMs = 60_000;

/**
 * What stands in the database, read when it is asked for and at most every few seconds, however many ask. Jobs that have ended
 * are not counted by it, of which there may be millions: their ends are a counter.
 */
export function clusterGauges(pool: pg.Pool, machines: readonly string[]): ClusterGauge[] {
  const known = new Set(machines);
  /** A machine that has left the catalogue gets no series of its own for ever. */
  const machineOf = (name: string): string => (known.has(name) ? name : 'other');

  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    read: (set: Tell) => Promise<void>,
    everyMs = tellMs,
  ): ClusterGauge => {
    let readAt = Number.NEGATIVE_INFINITY;
    return {
      name,
      help,
      labelNames,
      async collect() {
        if (performance.now() - readAt < everyMs) return;
        readAt = performance.now();
        const told: [number, Record<string, string>][] = [];
        await read((value, labels = {}) => told.push([value, labels]));
        this.reset();
        for (const [value, labels] of told) this.set(labels, value);
      },
    };
  };

  return [
    gauge('mycloud_jobs', 'Jobs that have not ended, by status', ['status'], async (set) => {
      const { rows } = await pool.query<{ status: string; jobs: number }>(
        `SELECT s.status, count(j.id)::int AS jobs FROM unnest(ARRAY['queued','preparing','running','saving']) s(status)
           LEFT JOIN "Job" j ON j.status = s.status GROUP BY s.status`,
      );
      for (const { status, jobs } of rows) set(jobs, { status });
    }),
    gauge('mycloud_queue_jobs', 'Jobs that wait, by machine', ['machine'], async (set) => {
      const { rows } = await pool.query<{ machine: string; jobs: number }>(
        `SELECT machine, count(*)::int AS jobs FROM "Job" WHERE status = 'queued' GROUP BY machine`,
      );
      const counts = new Map(machines.map((machine) => [machine, 0]));
      for (const { machine, jobs } of rows)
        counts.set(machineOf(machine), (counts.get(machineOf(machine)) ?? 0) + jobs);
      for (const [machine, jobs] of counts) set(jobs, { machine });
    }),
    gauge(
      'mycloud_queue_oldest_seconds',
      'How long the job that waits longest has waited, by machine',
      ['machine'],
      async (set) => {
        const { rows } = await pool.query<{ machine: string; seconds: number }>(
          `SELECT machine, EXTRACT(EPOCH FROM now() - min("queuedAt"))::float8 AS seconds
           FROM "Job" WHERE status = 'queued' GROUP BY machine`,
        );
        const oldest = new Map(machines.map((machine) => [machine, 0]));
        for (const { machine, seconds } of rows)
          oldest.set(machineOf(machine), Math.max(oldest.get(machineOf(machine)) ?? 0, seconds));
        for (const [machine, seconds] of oldest) set(seconds, { machine });
      },
    ),
    gauge(
      'mycloud_workers',
      'Workers heard of in the last minute, those among them that take nothing new, and those heard of in the last day but not since',
      ['state'],
      async (set) => {
        const { rows } = await pool.query<Record<'alive' | 'draining' | 'lost', number>>(
          `SELECT count(*) FILTER (WHERE here)::int AS alive, count(*) FILTER (WHERE here AND draining)::int AS draining,
             count(*) FILTER (WHERE NOT here)::int AS lost
           FROM (SELECT draining, "lastSeenAt" > now() - interval '1 minute' AS here FROM "Worker"
                 WHERE "lastSeenAt" > now() - interval '1 day') w`,
        );
        for (const [state, workers] of Object.entries(rows[0] ?? {})) set(workers, { state });
      },
    ),
    gauge('mycloud_worker_cores', 'Cores of the workers that are here', [], async (set) => {
      const { rows } = await pool.query<{ cores: number | null }>(
        `SELECT sum(cores)::float8 AS cores FROM "Worker" WHERE "lastSeenAt" > now() - interval '1 minute'`,
      );
      set(rows[0]?.cores ?? 0);
    }),
    gauge(
      'mycloud_worker_busy_cores',
      'Cores of those workers that are busy, as their last heartbeats said',
      [],
      async (set) => {
        const { rows } = await pool.query<{ busy: number | null }>(
          `SELECT sum(cores * (use->>'cpuPercent')::float8 / 100) AS busy FROM "Worker"
           WHERE "lastSeenAt" > now() - interval '1 minute' AND use IS NOT NULL`,
        );
        set(rows[0]?.busy ?? 0);
      },
    ),
    gauge(
      'mycloud_leases_overdue',
      'Attempts whose lease has run out and that nobody has ended yet',
      [],
      async (set) => {
        const { rows } = await pool.query<{ overdue: number }>(
          `SELECT count(*)::int AS overdue FROM "Attempt" WHERE "endedAt" IS NULL AND "leaseUntil" < now()`,
        );
        set(rows[0]?.overdue ?? 0);
      },
    ),
    gauge('mycloud_notifications_pending', 'Notifications that are not delivered yet', [], async (set) => {
      const { rows } = await pool.query<{ pending: number }>(
        `SELECT count(*)::int AS pending FROM "Delivery" WHERE state = 'pending'`,
      );
      set(rows[0]?.pending ?? 0);
    }),
    gauge(
      'mycloud_store_bytes',
      'Bytes of all packs in the store',
      [],
      async (set) => {
        const { rows } = await pool.query<{ bytes: number | null }>(
          `SELECT sum(size)::float8 AS bytes FROM "Pack" WHERE committed`,
        );
        set(rows[0]?.bytes ?? 0);
      },
      storeMs,
    ),
  ];
}
