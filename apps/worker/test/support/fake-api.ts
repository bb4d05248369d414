import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  Assignment,
  BuiltEnvironment,
  MetricPoint,
  SentLine,
  WorkerCommand,
  WorkerUse,
} from '@mycloud/shared';
import {
  type FakeApi as SnapshotApi,
  startFakeApi as startSnapshotApi,
} from '../../../../packages/snapshots/test/support/fake-api.js';

interface Finish {
  reason: string;
  detail: string;
  exitCode: number | null;
  outputSnapshotId: string | null;
  lastSeq: number;
  startedAt: number | null;
}

/** What the api knows of one attempt. */
export interface Attempt {
  assignment: Assignment;
  lines: (SentLine & { seq: number })[];
  progress: string[];
  statuses: string[];
  points: MetricPoint[];
  synced: string[];
  events: { type: string; message: string }[];
  finish: Finish | null;
  /** Its lease is over: every write is refused. */
  stale: boolean;
  writesWhenStale: number;
}

/** The worker's routes over a real server, in memory; the bytes of snapshots by the snapshot routes' own fake. */
export interface FakeApi {
  url: string;
  snapshots: SnapshotApi;
  attempts: Map<string, Attempt>;
  queue: Assignment[];
  /** Jobs asked for by ticket. */
  tickets: string[];
  /** Claims without a ticket. */
  polls: number;
  heartbeats: number;
  /** What of its computer was in use, by heartbeat. */
  uses: WorkerUse[];
  /** What was built there, as the last heartbeat told it. */
  built: BuiltEnvironment[];
  registered: unknown[];
  /** As the last heartbeat told it. */
  foreignGpus: number;
  /** Every request is refused by a cut line while this is set. */
  away: boolean;
  /** Of a release that takes no lines with an end. */
  older: boolean;
  /** Requests about bytes wait for it. */
  bytes: Promise<void>;
  command(command: WorkerCommand): void;
  streams(): number;
  close(): Promise<void>;
}

const machines = [
  { name: 'cpu', cores: 1, memoryBytes: 2 ** 30, gpus: 0 },
  { name: 'cpu2', cores: 2, memoryBytes: 2 ** 31, gpus: 0 },
  { name: 'gpu', cores: 1, memoryBytes: 2 ** 30, gpus: 1 },
  { name: 'gpu2', cores: 1, memoryBytes: 2 ** 30, gpus: 2 },
];

class Refused extends Error {
  constructor(
    readonly code: string,
    readonly details?: unknown,
  ) {
    super(code);
  }
}

export async function startFakeApi(options: { leaseSeconds?: number } = {}): Promise<FakeApi> {
  const snapshots = await startSnapshotApi();
  const streams = new Set<http.ServerResponse>();
  const missed: string[] = [];
  const batches = new Set<string>();

  function write(attempt: Attempt, verb: string, body: Record<string, unknown>): unknown {
    if (attempt.stale) {
      attempt.writesWhenStale += 1;
      throw new Refused('stale_fence');
    }
    if (verb === 'status') attempt.statuses.push(String(body.status));
    if (verb === 'output') attempt.synced.push(String(body.snapshotId));
    if (verb === 'events') attempt.events.push({ type: String(body.type), message: String(body.message) });
    if (verb === 'metrics' && !batches.has(String(body.batchId))) {
      batches.add(String(body.batchId));
      attempt.points.push(...(body.points as MetricPoint[]));
    }
    const { lines = [] } = body as { lines?: SentLine[] };
    if (verb === 'logs' || (lines.length > 0 && !api.older)) append(attempt, body, lines);
    if (verb === 'finish') {
      const end = body as unknown as Finish;
      if (end.lastSeq > attempt.lines.length)
        throw new Refused('log_gap', { expected: attempt.lines.length + 1 });
      attempt.finish = end;
    }
    return verb === 'logs' ? { lastSeq: attempt.lines.length } : undefined;
  }

  function append(attempt: Attempt, body: Record<string, unknown>, lines: SentLine[]): void {
    if (typeof body.progress === 'string') attempt.progress.push(body.progress);
    const expected = attempt.lines.length + 1;
    const firstSeq = Number(body.firstSeq);
    if (firstSeq !== expected) throw new Refused('log_gap', { expected });
    for (const line of lines) attempt.lines.push({ ...line, seq: attempt.lines.length + 1 });
  }

  function serve(path: string, body: Record<string, unknown>): unknown {
    const [, , , noun, jobId, verb] = path.split('/');
    if (noun === 'register') {
      api.registered.push(body);
      return {
        workerId: randomUUID(),
        leaseSeconds: options.leaseSeconds ?? 3,
        machines: machines.filter((machine) => (body.machines as string[]).includes(machine.name)),
      };
    }
    if (noun === 'heartbeat') {
      api.heartbeats += 1;
      api.uses.push(body.use as WorkerUse);
      api.built = body.environments as BuiltEnvironment[];
      api.foreignGpus = Number(body.foreignGpus);
      const held = body.attempts as { jobId: string; attempt: number; fence: number }[];
      const refused = held.filter(({ jobId: id }) => api.attempts.get(id)?.stale);
      return { refused, commands: [] };
    }
    if (noun === 'claim') {
      const wanted = body.machines as string[];
      const ticket = body.ticket as { jobId: string } | undefined;
      if (ticket) api.tickets.push(ticket.jobId);
      else api.polls += 1;
      const index = api.queue.findIndex(
        (one) => wanted.includes(one.machine.name) && (!ticket || one.jobId === ticket.jobId),
      );
      const assignment = index < 0 ? null : (api.queue.splice(index, 1)[0] ?? null);
      if (assignment) {
        api.attempts.set(assignment.jobId, {
          assignment,
          lines: [],
          progress: [],
          statuses: [],
          points: [],
          synced: [],
          events: [],
          finish: null,
          stale: false,
          writesWhenStale: 0,
        });
      }
      return { assignment };
    }
    const attempt = api.attempts.get(jobId ?? '');
    if (noun === 'jobs' && attempt && verb) return write(attempt, verb, body);
    throw new Refused('not_found');
  }

  async function pass(
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
  ): Promise<void> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(
        ([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name),
      ),
    ) as Record<string, string>;
    const init = {
      method: request.method,
      headers,
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    };
    const answer = await fetch(snapshots.client.url + request.url, init);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  const server = http.createServer(async (request, response) => {
    if (api.away) {
      request.socket.destroy();
      return;
    }
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (path === '/v1/worker/commands') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
      streams.add(response);
      const alive = setInterval(() => response.write(': alive\n\n'), 10_000).unref();
      response.on('close', () => {
        clearInterval(alive);
        streams.delete(response);
      });
      for (const command of missed.splice(0)) response.write(command);
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    if (!path.startsWith('/v1/worker/')) {
      await api.bytes;
      return pass(request, body, response);
    }
    try {
      const read = body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {};
      let answer = serve(path, read);
      const until = Date.now() + Number(read.waitSeconds ?? 0) * 1000;
      while (path.endsWith('/claim') && api.queue.length === 0 && Date.now() < until && !response.destroyed) {
        if ((answer as { assignment: unknown }).assignment) break;
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (api.queue.length > 0) answer = serve(path, read);
      }
      if (answer === undefined) response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      const { code = 'internal', message, details } = error as Refused;
      const status = code === 'not_found' ? 404 : code === 'internal' ? 500 : 409;
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({ type: 'about:blank', title: code, status, code, detail: message, details }),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const api: FakeApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    snapshots,
    attempts: new Map(),
    queue: [],
    tickets: [],
    polls: 0,
    heartbeats: 0,
    uses: [],
    built: [],
    registered: [],
    foreignGpus: 0,
    away: false,
    older: false,
    bytes: Promise.resolve(),
    command: (command) => {
      const message = `data: ${JSON.stringify(command)}\n\n`;
      // A stream that is being opened anew is waited for.
      if (streams.size === 0) missed.push(message);
      for (const stream of streams) stream.write(message);
    },
    streams: () => streams.size,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await snapshots.close();
    },
  };
  return api;
}
