import { type Ticket, ticketQueue } from '@mycloud/shared';
import { createPostgresBackend, Queue, withBackend } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres } from '../../../test/support/postgres.js';
import { wantProgram } from '../../../test/support/require.js';
import { startRedis } from '../../../test/support/services.js';
import { jobLines, until, World } from './support/world.js';

interface Backend {
  url: string;
  send(machine: string, data: unknown): Promise<void>;
  stop(): Promise<void>;
}

async function onRedis(): Promise<Backend> {
  const redis = await startRedis();
  const queues = ['cpu', 'cpu2'].map(
    (name) => new Queue(ticketQueue(name), { connection: { url: redis.url } }),
  );
  return {
    url: redis.url,
    send: async (machine, data) => {
      await queues.find((queue) => queue.name === ticketQueue(machine))?.add('ticket', data);
    },
    async stop() {
      for (const queue of queues) await queue.close();
      await redis.stop();
    },
  };
}

async function onPostgres(): Promise<Backend> {
  const postgres = await startPostgres();
  const { url } = postgres;
  const { Queue: PostgresQueue } = withBackend(createPostgresBackend);
  const connection = { connectionString: url, migrate: true };
  const queues = ['cpu', 'cpu2'].map((name) => new PostgresQueue(ticketQueue(name), { connection }));
  for (const queue of queues) {
    // Ending its Postgres ends its idle connections, each with a word.
    queue.on('error', () => undefined);
    await queue.waitUntilReady();
  }
  return {
    url,
    send: async (machine, data) => {
      await queues.find((queue) => queue.name === ticketQueue(machine))?.add('ticket', data);
    },
    async stop() {
      for (const queue of queues) await queue.close();
      await postgres.stop();
    },
  };
}

const backends: [name: string, start: () => Promise<Backend>][] = [['postgres', onPostgres]];
if (wantProgram('redis-server')) backends.push(['redis', onRedis]);

describe.each(backends)('a worker woken by tickets on %s', (_, start) => {
  let backend: Backend;
  let world: World;
  beforeAll(async () => {
    backend = await start();
    world = await World.open();
    await world.start('process', {
      MYCLOUD_QUEUE_URL: backend.url,
      MYCLOUD_WORKER_MACHINES: 'cpu,cpu2',
      MYCLOUD_SLOTS: '2',
    });
  });
  afterAll(async () => {
    await world.close();
    await backend.stop();
  });

  const ticket = (jobId: string): Ticket => ({ jobId, attempt: 1 });

  it('takes the job at once', async () => {
    await until(() => world.api.polls > 0, 'the look at the start, which needs no ticket');
    const jobId = world.submit('echo hello');
    await backend.send('cpu', ticket(jobId));
    const attempt = await world.finished(jobId);
    expect(jobLines(attempt)).toEqual(['hello']);
    expect(world.api.tickets).toContain(jobId);
  });

  it('drops a ticket that is none, and goes on', async () => {
    await backend.send('cpu', { nonsense: true });
    const jobId = world.submit('echo hello');
    await backend.send('cpu', ticket(jobId));
    expect((await world.finished(jobId)).finish?.reason).toBe('exit_zero');
  });

  it('leaves tickets to others while it is full, and takes them when it is free', async () => {
    const running = [world.submit('echo on; exec sleep 1000'), world.submit('echo on; exec sleep 1000')];
    for (const jobId of running) await backend.send('cpu', ticket(jobId));
    for (const jobId of running) await world.line(jobId, 'on');
    const waiting = world.submit('echo late');
    await backend.send('cpu', ticket(waiting));
    await until(() => world.api.streams() > 0, 'the command stream');
    expect(world.attempt(waiting)).toBeUndefined();
    for (const jobId of running) world.stopJob(jobId);
    expect(jobLines(await world.finished(waiting))).toEqual(['late']);
  });
});
