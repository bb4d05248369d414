import {
  createPostgresBackend,
  DEFAULT_SCHEMA,
  type JobSchedulerJson,
  Queue as RedisQueue,
  Worker as RedisWorker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Config } from '../config.js';
import { openPool } from '../database/client.js';
import { withinMs } from '../within.js';

/** When a schedule is due, as its row says it. */
export interface Times {
  cron: string;
  timezone: string;
}

/**
 * BullMQ's job scheduler as a clock: it says when a schedule may be due, and nothing more. What it says twice, late or never does
 * no harm: the rows decide, and the sweep finds what it has forgotten.
 */
export interface ScheduleClock {
  set(scheduleId: string, times: Times): Promise<void>;
  remove(scheduleId: string): Promise<void>;
  /** What it knows, by the schedule's id. */
  known(): Promise<Map<string, Times>>;
  close(): Promise<void>;
}

const queueName = 'schedules';
const tickSchema = z.object({ scheduleId: z.uuid() });
const kept = { removeOnComplete: true, removeOnFail: true } as const;
const answerMs = 5000;
/** More than anybody makes; those beyond are the sweep's. */
const mostKnown = 10_000;

/** What of BullMQ is used here: the same on Redis and Postgres. */
interface Schedulers {
  upsertJobScheduler(id: string, repeat: { pattern: string; tz: string }, template: object): Promise<unknown>;
  removeJobScheduler(id: string): Promise<unknown>;
  getJobSchedulers(start: number, end: number): Promise<JobSchedulerJson[]>;
  close(): Promise<void>;
}
interface Consumer {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

/** @param onTick told that this schedule may be due */
export function openClock(
  config: Pick<Config, 'databaseUrl' | 'redisUrl'>,
  log: Logger,
  onTick: (scheduleId: string) => Promise<void>,
): ScheduleClock {
  const process = async ({ data }: { data: unknown }) => {
    const tick = tickSchema.safeParse(data);
    if (tick.success) await onTick(tick.data.scheduleId);
    else log.warn({ data }, 'a tick that is none was dropped');
  };
  const { queue, consumer, end } = config.redisUrl
    ? onRedis(config.redisUrl, process)
    : onPostgres(config.databaseUrl, log, process);
  consumer.on('error', (error) => log.debug({ err: error }, 'the clock of schedules can not be reached'));
  return {
    set: (scheduleId, { cron, timezone }) =>
      within(
        queue.upsertJobScheduler(
          scheduleId,
          { pattern: cron, tz: timezone },
          { name: 'tick', data: { scheduleId }, opts: kept },
        ),
      ),
    remove: (scheduleId) => within(queue.removeJobScheduler(scheduleId)),
    async known() {
      const all = await withinMs(queue.getJobSchedulers(0, mostKnown), answerMs);
      return new Map(all.map(({ key, pattern = '', tz = '' }) => [key, { cron: pattern, timezone: tz }]));
    },
    async close() {
      await consumer.close(true);
      await queue.close();
      await end();
    },
  };
}

/** A queue that is away may keep the call waiting; the caller doesn't. */
async function within(work: Promise<unknown>): Promise<void> {
  await withinMs(work, answerMs);
}

type Process = (job: { data: unknown }) => Promise<void>;
interface Opened {
  queue: Schedulers;
  consumer: Consumer;
  end: () => Promise<void>;
}

function onRedis(url: string, process: Process): Opened {
  const asking = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  // The consumer waits with blocking commands, which must not be given up.
  const waiting = new Redis(url, { maxRetriesPerRequest: null });
  // Their loss shows in what is asked of them, and as the consumer's error.
  for (const connection of [asking, waiting]) connection.on('error', () => undefined);
  const queue = new RedisQueue(queueName, { connection: asking });
  queue.on('error', () => undefined);
  return {
    queue,
    consumer: new RedisWorker(queueName, process, { connection: waiting }),
    end: async () => {
      for (const connection of [asking, waiting]) connection.disconnect();
    },
  };
}

/** holds: the tickets' queue was opened before, which makes BullMQ's tables. */
function onPostgres(databaseUrl: string, log: Logger, process: Process): Opened {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const options = {
    connectionString: databaseUrl,
    max: 2,
    keepAlive: true,
    application_name: 'mycloud-clock',
    options: `-c search_path=${DEFAULT_SCHEMA}`,
  };
  const pool = openPool(options, log, 'a connection of the clock was lost');
  const queue = new Queue(queueName, { connection: pool });
  queue.on('error', () => undefined);
  const connection = { connectionString: databaseUrl, skipMigrations: true, max: 2 };
  return { queue, consumer: new Worker(queueName, process, { connection }), end: () => pool.end() };
}
