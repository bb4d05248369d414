import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createClient, type Dial, type Job, jobRoutes, workerRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../../test/support/services.js';
import { refused } from './support/refused.js';
import { at, startWorld, type TestApi, type TestWorker, type World } from './support/world.js';

let world: World;
/** The worker's command stream is at this one; people ask the other. */
let near: TestApi;
let far: TestApi;
let worker: TestWorker;

beforeAll(async () => {
  world = await startWorld();
  near = world.api;
  const port = await freePort();
  far = await world.startApi({ MYCLOUD_ADVERTISE_URL: `http://127.0.0.1:${port}` });
  forwardTo(port, far.url);
  worker = await world.worker('behind-nat');
  await worker.listen();
});
afterAll(async () => {
  for (const server of forwards) server.close();
  await world.close();
});

/** A second address of an api: what it advertises is not what its callers know it by. */
const forwards: ReturnType<typeof createServer>[] = [];
let dialledAdvertised = 0;
function forwardTo(port: number, url: string): void {
  const server = createServer();
  server.on('connection', (socket) => {
    dialledAdvertised += 1;
    const api = connect(Number(new URL(url).port), '127.0.0.1');
    for (const one of [socket, api]) one.on('error', () => undefined);
    socket.pipe(api).pipe(socket);
  });
  forwards.push(server.listen(port, '127.0.0.1'));
}

async function runningJob(more = {}): Promise<Job> {
  const job = await world.submit({ command: 'true', ...more });
  await worker.status(await worker.take(), 'running');
  return job;
}
const dialled = (jobId: string, seen = new Set<string>()): Promise<Dial> =>
  world.until('the worker is told to dial', async () =>
    worker.commands.find(
      (command): command is Dial & { type: 'dial' } =>
        command.type === 'dial' && command.jobId === jobId && !seen.has(command.tunnelId),
    ),
  );
const socketOf = (url: string, path: string, token: string): WebSocket =>
  new WebSocket(url.replace('http', 'ws') + path, { headers: { authorization: `Bearer ${token}` } });
const execPath = (job: Job) => `/v1/projects/${job.owner}/${job.project}/jobs/${job.number}/exec`;
const tunnelPath = ({ tunnelId }: Dial) => `/v1/worker/tunnels/${tunnelId}`;

describe('a connection to a job', () => {
  it('reaches the api that was asked, by whichever its worker dials', async () => {
    const job = await runningJob();
    const client = socketOf(far.url, execPath(job), world.labToken);
    const dial = await dialled(job.id);
    expect(dial).toMatchObject({ attempt: 1, to: 'exec' });
    const before = dialledAdvertised;
    // It knows one address, here of the api that it gets its commands from, which hands it on.
    const tunnel = socketOf(near.url, tunnelPath(dial), world.workerToken);
    await Promise.all([once(tunnel, 'open'), once(client, 'open')]);
    expect(dialledAdvertised).toBe(before + 1);
    client.send(JSON.stringify({ command: ['ls'], terminal: null }));
    expect(JSON.parse(String((await once(tunnel, 'message'))[0]))).toEqual({
      command: ['ls'],
      terminal: null,
    });
    tunnel.send(Buffer.from([1, 104, 105]));
    expect((await once(client, 'message'))[0]).toEqual(Buffer.from([1, 104, 105]));
    tunnel.close();
    await once(client, 'close');
    const { items } = await world.lab.call(jobRoutes.events, at(job));
    expect(items.at(-1)).toMatchObject({ type: 'exec', message: 'lab ran in it: ls' });
  });

  it('is told to come again when its api closes', async () => {
    const third = await world.startApi();
    const job = await runningJob();
    const client = socketOf(third.url, execPath(job), world.labToken);
    const tunnel = socketOf(third.url, tunnelPath(await dialled(job.id)), world.workerToken);
    await Promise.all([once(tunnel, 'open'), once(client, 'open')]);
    const ends = Promise.all([once(client, 'close'), once(tunnel, 'close')]);
    await third.close();
    // 1012: service restart.
    expect((await ends).map(([code]) => code)).toEqual([1012, 1012]);
  });

  it('can not be taken by another’s worker, nor asked for by a stranger', async () => {
    const job = await runningJob();
    const client = socketOf(near.url, execPath(job), world.labToken);
    client.on('error', () => undefined);
    const dial = await dialled(job.id);
    const { rows } = await near.deps.pool.query<{ id: string }>(`SELECT id FROM "User" WHERE name = 'eve'`);
    const eveWorker = await world.workerTokenOf(rows[0]?.id ?? '');
    const thief = socketOf(near.url, tunnelPath(dial), eveWorker);
    expect((await once(thief, 'unexpected-response'))[1].statusCode).toBe(404);
    const person = socketOf(near.url, tunnelPath(dial), world.labToken);
    expect((await once(person, 'unexpected-response'))[1].statusCode).toBe(403);
    const stranger = socketOf(near.url, execPath(job), eveWorker);
    expect((await once(stranger, 'unexpected-response'))[1].statusCode).toBe(403);
    const asWorker = createClient({ url: near.url, token: world.workerToken });
    await asWorker.call(workerRoutes.refuseTunnel, {
      params: { tunnelId: dial.tunnelId },
      body: { why: 'failed', detail: 'python3 is missing' },
    });
    const [, answer] = await once(client, 'unexpected-response');
    expect(answer.statusCode).toBe(503);
    // Good once: nobody waits for it any more.
    const late = await refused(
      asWorker.call(workerRoutes.refuseTunnel, {
        params: { tunnelId: dial.tunnelId },
        body: { why: 'failed', detail: '' },
      }),
    );
    expect(late.code).toBe('not_found');
  });

  it('hands on what one sends no faster than the other reads', async () => {
    const job = await runningJob();
    const client = socketOf(near.url, execPath(job), world.labToken);
    const dial = await dialled(job.id);
    const tunnel = socketOf(near.url, tunnelPath(dial), world.workerToken);
    await Promise.all([once(tunnel, 'open'), once(client, 'open')]);
    client.send(JSON.stringify({ command: [], terminal: null }));
    await once(tunnel, 'message');
    client.pause();
    const piece = Buffer.alloc(1024 * 1024, 7);
    for (let i = 0; i < 64; i++) tunnel.send(piece);
    const waiting = await world.until('no more is taken', async () => {
      const before = tunnel.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before === tunnel.bufferedAmount && before < 64 * piece.length ? before : undefined;
    });
    expect(waiting).toBeGreaterThan(40 * piece.length);
    let got = 0;
    client.on('message', (data: Buffer) => {
      got += data.length;
    });
    client.resume();
    await world.until('all has come', async () => (got === 64 * piece.length ? true : undefined));
    client.close();
    await once(tunnel, 'close');
  });
});
