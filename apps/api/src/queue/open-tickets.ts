import { AppError, type Ticket, ticketQueue } from '@mycloud/shared';
import { createPostgresBackend, Queue as RedisQueue, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type pg from 'pg';
import type { Logger } from 'pino';
import { ensureQueueRole } from '../database/queue-role.js';
import type { TicketQueue } from './tickets.js';

interface Options {
  databaseUrl: string;
  redisUrl: string | undefined;
  /** Set: workers get a Postgres role of their own for the queue. */
  rolePassword: string | undefined;
  pool: pg.Pool;
  log: Logger;
}

/** What of a BullMQ queue is used here: the same on Redis and Postgres. */
interface Producer {
  add(name: string, data: Ticket, options: { priority: number }): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

const keepNothing = { removeOnComplete: true, removeOnFail: true };
/** BullMQ's priorities end here; 0 means none and would go before all. */
const lowestPriority = 2 ** 21 - 1;

/** Tickets on Redis where there is one, on the same Postgres otherwise. */
export async function openTickets(options: Options): Promise<TicketQueue> {
  const { open, backend, end } = connect(options);
  const queues = new Map<string, Producer>();
  const queueOf = (machine: string): Producer => {
    const known = queues.get(machine);
    if (known) return known;
    const queue = open(ticketQueue(machine));
    queue.on('error', (error) => options.log.debug({ err: error, machine }, 'the queue can not be reached'));
    queues.set(machine, queue);
    return queue;
  };
  if (backend === 'postgres') {
    // The first queue makes BullMQ's schema, which the workers' role is then let into.
    await queueOf('cpu').waitUntilReady();
    if (options.rolePassword) await ensureQueueRole(options.pool, options.rolePassword);
  }
  return {
    backend,
    async send(machine, ticket, priority) {
      try {
        await queueOf(machine).add('ticket', ticket, { priority: Math.min(lowestPriority, priority + 1) });
      } catch (cause) {
        throw new AppError('unavailable', `the queue (${backend}) does not take tickets now`, { cause });
      }
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      end();
    },
  };
}

function connect({ databaseUrl, redisUrl, log }: Options): {
  backend: TicketQueue['backend'];
  open: (name: string) => Producer;
  end: () => void;
} {
  if (redisUrl) {
    // A ticket that can't be sent at once is the sweep's: no endless retries, no queue of commands while Redis is away.
    const redis = new Redis(redisUrl, {
      maxRetriesPerRequest: 1,
      enableOfflineQueue: true,
      connectTimeout: 3_000,
    });
    redis.on('error', (error) => log.debug({ err: error }, 'redis can not be reached'));
    return {
      backend: 'redis',
      open: (name) => new RedisQueue(name, { connection: redis, defaultJobOptions: keepNothing }),
      end: () => redis.disconnect(),
    };
  }
  const { Queue } = withBackend(createPostgresBackend);
  return {
    backend: 'postgres',
    open: (name) =>
      new Queue(name, {
        connection: { connectionString: databaseUrl, migrate: true, max: 2 },
        defaultJobOptions: keepNothing,
      }),
    end: () => undefined,
  };
}
