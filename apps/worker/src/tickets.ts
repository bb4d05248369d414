import { type Ticket, ticketQueue, ticketSchema } from '@mycloud/shared';
import { createPostgresBackend, Worker as RedisConsumer, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';

export interface TicketsOptions {
  /** redis:// or postgres:// */
  url: string;
  machines: readonly string[];
  /** Takes the ticket's job, if it is still to be had. */
  onTicket: (machine: string, ticket: Ticket) => Promise<unknown>;
  log: Logger;
}

export interface Tickets {
  /** Takes tickets of these machines only: one that this worker can't use now is another's. */
  take(machines: readonly string[]): void;
  close(): Promise<void>;
}

/** What of a BullMQ worker is used here: the same on Redis and Postgres. */
interface Consumer {
  on(event: 'error', listener: (error: Error) => void): unknown;
  pause(doNotWaitActive?: boolean): Promise<void>;
  resume(): void;
  close(force?: boolean): Promise<void>;
}

type Processor = (job: { data: unknown }) => Promise<void>;
const settings = { concurrency: 1, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };

/** Consumes the tickets of the machines this worker offers. The queue wakes, nothing more: errors of it are logged. */
export function openTickets(options: TicketsOptions): Tickets {
  const { connect, end } = connection(options.url);
  const consumers = new Map<string, { consumer: Consumer; paused: boolean }>();
  for (const machine of options.machines) {
    const consumer = connect(ticketQueue(machine), async ({ data }) => {
      const parsed = ticketSchema.safeParse(data);
      if (!parsed.success) options.log.warn({ machine, data }, 'a ticket that is none was dropped');
      else await options.onTicket(machine, parsed.data);
    });
    consumer.on('error', (error) =>
      options.log.debug({ err: error, machine }, 'the queue can not be reached'),
    );
    consumers.set(machine, { consumer, paused: false });
  }
  return {
    take(machines) {
      for (const [machine, entry] of consumers) {
        const paused = !machines.includes(machine);
        if (paused === entry.paused) continue;
        entry.paused = paused;
        if (paused) void entry.consumer.pause(true);
        else entry.consumer.resume();
      }
    },
    async close() {
      await Promise.all([...consumers.values()].map(({ consumer }) => consumer.close(true)));
      end();
    },
  };
}

function connection(url: string): { connect: (queue: string, run: Processor) => Consumer; end: () => void } {
  if (url.startsWith('postgres')) {
    const { Worker } = withBackend(createPostgresBackend);
    const pool = { connectionString: url, skipMigrations: true, max: 2 };
    return {
      connect: (queue, run) => new Worker(queue, run, { ...settings, connection: pool }),
      end: () => undefined,
    };
  }
  // BullMQ waits on a copy of this connection with blocking commands, which must not be given up.
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  return {
    connect: (queue, run) => new RedisConsumer(queue, run, { ...settings, connection: redis }),
    end: () => redis.disconnect(),
  };
}
