import { statfs } from 'node:fs/promises';
import { Counter, Gauge, Histogram, openRegistry, type Registry, workContext } from '@mycloud/telemetry';

/** What the worker counts and measures for Prometheus. */
export interface WorkerMetrics {
  registry: Registry;
  attempts: Gauge;
  attemptsEnded: Counter<'reason'>;
  claims: Counter<'outcome'>;
  heartbeatFailures: Counter;
  stageSeconds: Histogram<'stage'>;
}

const stageBuckets = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** @param home where jobs write: how much of its disk is free is measured when it is asked for */
export function openWorkerMetrics(name: string, home: string): WorkerMetrics {
  const registry = openRegistry({ app: 'worker', worker: name });
  const registers = [registry];
  new Gauge({
    name: 'mycloud_worker_disk_free_bytes',
    help: 'Free bytes of the disk that jobs write to',
    registers,
    async collect() {
      const { bavail, bsize } = await statfs(home);
      this.set(bavail * bsize);
    },
  });
  return {
    registry,
    attempts: new Gauge({
      name: 'mycloud_worker_attempts',
      help: 'Attempts that this worker has now',
      registers,
    }),
    attemptsEnded: new Counter({
      name: 'mycloud_worker_attempts_ended_total',
      help: 'Attempts that this worker brought to an end, by reason',
      labelNames: ['reason'],
      registers,
    }),
    claims: new Counter({
      name: 'mycloud_worker_claims_total',
      help: 'Times it asked for a job, by what came of it: job, none, failed',
      labelNames: ['outcome'],
      registers,
    }),
    heartbeatFailures: new Counter({
      name: 'mycloud_worker_heartbeat_failures_total',
      help: 'Heartbeats that no api took',
      registers,
    }),
    stageSeconds: new Histogram({
      name: 'mycloud_worker_stage_duration_seconds',
      help: 'Time that the stages of attempts took: prepare, run, save, finish',
      labelNames: ['stage'],
      buckets: stageBuckets,
      registers,
    }),
  };
}

/** What a call to the api is part of. */
export function callHeaders(): Record<string, string> {
  const { traceparent } = workContext();
  return traceparent ? { traceparent } : {};
}
