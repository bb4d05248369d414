import { AppError, type Ticket, ticketQueue, ticketSchema } from '@mycloud/shared';
import type { JobsOptions } from 'bullmq';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { withinMs } from '../within.js';
import { openPostgresQueues } from './postgres.js';
import { openRedisQueues } from './redis.js';

/** BullMQ wakes workers, Postgres decides: a lost, late or doubled ticket costs time, never a job. */
export interface TicketQueue {
  readonly backend: 'postgres' | 'redis';
  /** Puts a ticket into the machine's queue; lower priority numbers are taken first. @throws AppError unavailable */
  send(machine: string, ticket: Ticket, priority: number): Promise<void>;
  /** @throws when the queue does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** What of a BullMQ queue is used here: the same on Redis and Postgres. */
interface OpenQueue {
  add(name: string, data: Ticket, options: JobsOptions): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** A connection, and the queues made over it. */
export interface QueueBackend {
  readonly name: 'postgres' | 'redis';
  open(queueName: string): OpenQueue;
  /** @throws when it does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

const sendTimeoutMs = 5000;
/** BullMQ's greatest; 0 would mean before all others whatever their number. */
const maxPriority = 2 ** 21 - 1;

/** Opens the tickets' queues: on Redis where REDIS_URL is set, otherwise on the same Postgres in a schema of its own. */
export async function openTickets(
  config: Pick<Config, 'databaseUrl' | 'redisUrl' | 'queueRolePassword'>,
  log: Logger,
): Promise<TicketQueue> {
  const backend: QueueBackend = config.redisUrl
    ? openRedisQueues(config.redisUrl, log)
    : await openPostgresQueues(config, log);
  const queues = new Map<string, OpenQueue>();

  const queueOf = async (machine: string): Promise<OpenQueue> => {
    const name = ticketQueue(machine);
    const open = queues.get(name) ?? backend.open(name);
    if (!queues.has(name)) {
      open.on('error', (error) => log.warn({ err: error, queue: name }, 'the queue is in trouble'));
      queues.set(name, open);
    }
    try {
      await open.waitUntilReady();
    } catch (error) {
      // A queue that could not be opened remembers that for ever: the next ticket opens a new one.
      queues.delete(name);
      await open.close();
      throw error;
    }
    return open;
  };

  return {
    backend: backend.name,
    async send(machine, ticket, priority) {
      const options: JobsOptions = {
        // The same ticket sent again while it still waits is the one that waits.
        jobId: `${ticket.jobId}.${ticket.attempt}`,
        priority: Math.min(Math.max(priority, 0) + 1, maxPriority),
        removeOnComplete: true,
        removeOnFail: true,
      };
      const sending = queueOf(machine).then((queue) =>
        queue.add('ticket', ticketSchema.parse(ticket), options),
      );
      // A queue that is away may keep the call waiting; the caller doesn't.
      await withinMs(sending, sendTimeoutMs).catch((cause: unknown) => {
        throw new AppError('unavailable', `the queue did not take the ticket of ${ticket.jobId}`, { cause });
      });
    },
    check: () => backend.check(),
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}
