import { randomUUID } from 'node:crypto';
import { type Ticket, ticketQueue, ticketSchema } from '@mycloud/shared';
import { createPostgresBackend, Queue, Worker, withBackend } from 'bullmq';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { wantProgram } from '../../../test/support/require.js';
import { eventually } from '../../../test/support/server.js';
import { type RunningService, startRedis } from '../../../test/support/services.js';
import { openTickets, type TicketQueue } from '../src/queue/tickets.js';

const log = pino({ level: 'silent' });
const queueRolePassword = 'a-password-of-the-queue';
const onPostgres = withBackend(createPostgresBackend);
let postgres: TestPostgres;
let databaseUrl: string;
let redis: RunningService | undefined;

beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = (await postgres.createDatabase()).url;
  if (wantProgram('redis-server')) redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
  await postgres.stop();
});

const roleUrl = () => {
  const url = new URL(databaseUrl);
  url.username = 'mycloud_queue';
  url.password = queueRolePassword;
  return url.href;
};

/** Takes tickets as a worker does: of Postgres as the queue's own role. */
async function consume(backend: 'postgres' | 'redis', machine: string, take: (ticket: Ticket) => void) {
  const run = async ({ data }: { data: unknown }) => take(ticketSchema.parse(data));
  const settings = { concurrency: 1, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
  const worker =
    backend === 'redis'
      ? new Worker(ticketQueue(machine), run, { ...settings, connection: { url: redis!.url } })
      : new onPostgres.Worker(ticketQueue(machine), run, {
          ...settings,
          connection: { connectionString: roleUrl(), skipMigrations: true, max: 2 },
        });
  worker.on('error', () => undefined);
  await worker.waitUntilReady();
  return worker;
}

function inspect(backend: 'postgres' | 'redis', machine: string) {
  return backend === 'redis'
    ? new Queue(ticketQueue(machine), { connection: { url: redis!.url } })
    : new onPostgres.Queue(ticketQueue(machine), { connection: { connectionString: databaseUrl, max: 1 } });
}

describe.each(['postgres', 'redis'] as const)('tickets on %s', (backend) => {
  const missing = backend === 'redis' && !wantProgram('redis-server');
  const open = (): Promise<TicketQueue> =>
    openTickets(
      {
        databaseUrl,
        redisUrl: backend === 'redis' ? redis?.url : undefined,
        queueRolePassword: backend === 'postgres' ? queueRolePassword : undefined,
      },
      log,
    );

  it.skipIf(missing)(
    'wakes a worker of the machine with job and attempt, and leaves nothing behind',
    async () => {
      const tickets = await open();
      expect(tickets.backend).toBe(backend);
      const taken: Ticket[] = [];
      const worker = await consume(backend, 'cpu', (ticket) => taken.push(ticket));
      const ticket = { jobId: randomUUID(), attempt: 1 };
      await tickets.send('cpu', ticket, 0);
      await tickets.send('gpu', { jobId: randomUUID(), attempt: 1 }, 0);
      await eventually('the ticket is taken', async () => taken.length > 0);
      expect(taken).toEqual([ticket]);
      const queue = inspect(backend, 'cpu');
      await eventually('nothing is left of it', async () => {
        const counts = await queue.getJobCounts();
        return Object.values(counts).every((count) => count === 0);
      });
      await queue.close();
      await worker.close();
      await tickets.close();
    },
  );

  it.skipIf(missing)('gives the lower number first, and a number above all of BullMQ last', async () => {
    const tickets = await open();
    const sent = [5_000_000, 40, 0, 3].map((priority) => ({ priority, jobId: randomUUID() }));
    for (const { jobId, priority } of sent) await tickets.send('order', { jobId, attempt: 1 }, priority);
    const taken: string[] = [];
    const worker = await consume(backend, 'order', ({ jobId }) => taken.push(jobId));
    await eventually('all are taken', async () => taken.length === sent.length);
    const priorities = taken.map((jobId) => sent.find((one) => one.jobId === jobId)?.priority);
    expect(priorities).toEqual([0, 3, 40, 5_000_000]);
    await worker.close();
    await tickets.close();
  });

  it.skipIf(missing)('keeps one ticket of an attempt however often the sweep sends it', async () => {
    const tickets = await open();
    const jobId = randomUUID();
    for (let i = 0; i < 3; i++) await tickets.send('again', { jobId, attempt: 1 }, i);
    await tickets.send('again', { jobId, attempt: 2 }, 0);
    const queue = inspect(backend, 'again');
    const counts = await queue.getJobCounts();
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(2);
    await queue.close();

    // Once it was taken the same ticket may be sent anew: the worker that took it may have been lost.
    const taken: number[] = [];
    const worker = await consume(backend, 'again', ({ attempt }) => taken.push(attempt));
    await eventually('both are taken', async () => taken.length === 2);
    await eventually('it is taken anew', async () => {
      await tickets.send('again', { jobId, attempt: 1 }, 0);
      return taken.length > 2;
    });
    await worker.close();
    await tickets.close();
  });

  it.skipIf(missing)('refuses what is no ticket', async () => {
    const tickets = await open();
    await expect(tickets.send('cpu', { jobId: 'x', attempt: 0 }, 0)).rejects.toThrow();
    await tickets.close();
  });
});

describe('a queue that goes away', () => {
  it('on Postgres: fails the ticket at once as unavailable, and takes the next when it is back', async () => {
    const tickets = await openTickets(
      { databaseUrl, redisUrl: undefined, queueRolePassword: undefined },
      log,
    );
    await tickets.send('away', { jobId: randomUUID(), attempt: 1 }, 0);
    await postgres.halt();
    const lost = tickets.send('away', { jobId: randomUUID(), attempt: 1 }, 0);
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
    // A queue first asked for while all is away must not remember that for ever.
    const first = tickets.send('never-opened', { jobId: randomUUID(), attempt: 1 }, 0);
    await expect(first).rejects.toMatchObject({ code: 'unavailable' });
    await postgres.resume();
    await eventually('tickets are taken again', async () => {
      await tickets.send('away', { jobId: randomUUID(), attempt: 1 }, 0);
      await tickets.send('never-opened', { jobId: randomUUID(), attempt: 1 }, 0);
      return true;
    });
    await tickets.close();
  });

  it.skipIf(!wantProgram('redis-server'))('on Redis: fails the ticket as unavailable', async () => {
    const own = await startRedis();
    const tickets = await openTickets({ databaseUrl, redisUrl: own.url, queueRolePassword: undefined }, log);
    await eventually('Redis takes tickets', () =>
      tickets.send('away', { jobId: randomUUID(), attempt: 1 }, 0).then(
        () => true,
        () => false,
      ),
    );
    await own.stop();
    const lost = tickets.send('away', { jobId: randomUUID(), attempt: 1 }, 0);
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
    await tickets.close();
  });
});

describe('the role that workers take tickets with', () => {
  it('sees the queue and nothing else of the database', async () => {
    const tickets = await openTickets({ databaseUrl, redisUrl: undefined, queueRolePassword }, log);
    await tickets.close();
    const client = new pg.Client(roleUrl());
    await client.connect();
    const { rows } = await client.query('SELECT count(*)::int AS n FROM bullmq.migration');
    expect(rows[0].n).toBeGreaterThan(0);
    const { rows: tables } = await postgresTables();
    expect(tables.length).toBeGreaterThan(15);
    for (const { name } of tables) {
      await expect(client.query(`SELECT 1 FROM public."${name}"`), name).rejects.toThrow(/permission denied/);
    }
    await expect(client.query('CREATE TABLE public.mine (id int)')).rejects.toThrow(/permission denied/);
    await expect(client.query(`SELECT nextval('public.mycloud_fence')`)).rejects.toThrow(/permission denied/);
    await client.end();
  });

  it('may use tables that a later release of the queue adds', async () => {
    const owner = new pg.Client(databaseUrl);
    await owner.connect();
    await owner.query('CREATE TABLE bullmq.later (id bigserial PRIMARY KEY)');
    await owner.end();
    const client = new pg.Client(roleUrl());
    await client.connect();
    await client.query('INSERT INTO bullmq.later DEFAULT VALUES');
    await client.end();
  });

  it('takes a new password at the next start', async () => {
    const changed = 'another-password-of-it';
    for (const queueRolePassword of [changed, changed]) {
      const tickets = await openTickets({ databaseUrl, redisUrl: undefined, queueRolePassword }, log);
      await tickets.close();
    }
    await expect(new pg.Client(roleUrl()).connect()).rejects.toThrow(/password authentication failed/);
  });
});

async function postgresTables() {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const found = await client.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  await client.end();
  return found;
}
