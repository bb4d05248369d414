import type { Ticket } from '@mycloud/shared';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { QueueBackend } from './tickets.js';

/** BullMQ on Redis; all queues share one connection, which is made again whenever it is lost. */
export function openRedisQueues(url: string, log: Logger): QueueBackend {
  const connection = new Redis(url, {
    // A ticket that can't be sent now is the sweep's: nothing waits in memory for Redis to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(times * 100, 2000),
  });
  let away = false;
  connection.on('error', (error: Error) => {
    if (!away) log.warn({ err: error }, 'Redis does not answer; tickets wait for it');
    away = true;
  });
  connection.on('ready', () => {
    if (away) log.info('Redis answers again');
    away = false;
  });
  return {
    name: 'redis',
    open: (name) => new Queue<Ticket>(name, { connection }),
    check: async () => {
      await connection.ping();
    },
    close: async () => connection.disconnect(),
  };
}
