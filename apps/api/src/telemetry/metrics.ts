import { Counter, Gauge, Histogram, openRegistry, type Registry, secondsBuckets } from '@mycloud/telemetry';
import type pg from 'pg';
import { clusterGauges } from './cluster.js';

/** What the api counts and measures for Prometheus. Labels are words of ours and names of the catalogue: their number is bounded. */
export interface ApiMetrics {
  registry: Registry;
  httpSeconds: Histogram<'method' | 'route' | 'status'>;
  /** Taking a job out of the queue, for a worker that got one. */
  claimSeconds: Histogram;
  /** From when a job was queued to when a worker took it. */
  waitSeconds: Histogram<'machine'>;
  attemptsEnded: Counter<'status' | 'reason'>;
  leasesLost: Counter;
  logLines: Counter;
  logBytes: Counter;
  deliveries: Counter<'kind' | 'outcome'>;
  scheduleRuns: Counter<'outcome'>;
}

const waitBuckets = [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** @param machines names of the catalogue */
export function openApiMetrics(pool: pg.Pool, machines: readonly string[]): ApiMetrics {
  const registry = openRegistry({ app: 'api' });
  const registers = [registry];
  for (const gauge of clusterGauges(pool, machines)) new Gauge({ ...gauge, registers });
  return {
    registry,
    httpSeconds: new Histogram({
      name: 'mycloud_http_request_duration_seconds',
      help: 'Time until an answer was sent, by route; streams are left out',
      labelNames: ['method', 'route', 'status'],
      buckets: secondsBuckets,
      registers,
    }),
    claimSeconds: new Histogram({
      name: 'mycloud_claim_duration_seconds',
      help: 'Time to take a job out of the queue for a worker',
      buckets: secondsBuckets,
      registers,
    }),
    waitSeconds: new Histogram({
      name: 'mycloud_job_wait_seconds',
      help: 'Time from when a job was queued to when a worker took it',
      labelNames: ['machine'],
      buckets: waitBuckets,
      registers,
    }),
    attemptsEnded: new Counter({
      name: 'mycloud_attempts_ended_total',
      help: 'Attempts that ended here, by what the job became (queued: it is tried again) and why',
      labelNames: ['status', 'reason'],
      registers,
    }),
    leasesLost: new Counter({
      name: 'mycloud_leases_lost_total',
      help: 'Attempts whose worker was not heard of any more',
      registers,
    }),
    logLines: new Counter({ name: 'mycloud_log_lines_total', help: 'Log lines stored', registers }),
    logBytes: new Counter({
      name: 'mycloud_log_bytes_total',
      help: 'Bytes of the log lines stored, as UTF-8',
      registers,
    }),
    deliveries: new Counter({
      name: 'mycloud_notification_deliveries_total',
      help: 'Tries to deliver a notification, by kind and outcome',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    scheduleRuns: new Counter({
      name: 'mycloud_schedule_runs_total',
      help: 'Times at which a schedule was due, by what came of it',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
