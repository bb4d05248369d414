import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Answer,
  type Assignment,
  type Client,
  type CreateJob,
  createClient,
  type Job,
  jobRoutes,
  logRoutes,
  readEvents,
  type SentLine,
  type WorkerCommand,
  type WorkerUse,
  workerRoutes,
} from '@mycloud/shared';
import { pino } from 'pino';
import { startPostgres } from '../../../../test/support/postgres.js';
import { buildApi } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { newId } from '../../src/jobs/id.js';
import { startJobLoops } from '../../src/jobs/loops.js';
import { openDeps } from '../../src/open-deps.js';

/** One running api of a test, listening on a port of its own. */
export interface TestApi {
  deps: Deps;
  url: string;
  close(): Promise<void>;
}

/** A database with a user `lab`, one more user, a project and a worker's token, and apis on it. */
export interface World {
  databaseUrl: string;
  api: TestApi;
  lab: Client;
  eve: Client;
  labId: string;
  labToken: string;
  workerToken: string;
  /** A worker's token of another user. */
  workerTokenOf(userId: string): Promise<string>;
  startApi(env?: Record<string, string>, options?: { loops?: boolean }): Promise<TestApi>;
  /** Starts the sweeps of an api. */
  sweep(api?: TestApi): { close(): Promise<void> };
  submit(body?: Partial<CreateJob>, headers?: Record<string, string>): Promise<Job>;
  get(job: Pick<Job, 'owner' | 'project' | 'number'>, as?: Client): Promise<Job>;
  worker(
    name: string,
    options?: { machines?: string[]; gpus?: number; images?: boolean; token?: string; api?: TestApi },
  ): Promise<TestWorker>;
  /** A snapshot row of lab's; its content is nobody's business here. */
  snapshot(ownerId?: string): Promise<string>;
  /** Waits until `check` answers something, asking again as long as it answers undefined. */
  until<T>(what: string, check: () => Promise<T | undefined>): Promise<T>;
  close(): Promise<void>;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
export const at = (job: Pick<Job, 'owner' | 'project' | 'number'>) => ({
  params: { owner: job.owner, project: job.project, number: job.number },
});

export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const postgres = await startPostgres();
  const database = await postgres.createDatabase();
  const home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-world-'));
  const closers: (() => Promise<void>)[] = [];
  const startApi = async (more: Record<string, string> = {}): Promise<TestApi> => {
    const config = readConfig({
      DATABASE_URL: database.url,
      MYCLOUD_HOME: home,
      MYCLOUD_EMBEDDED: '1',
      MYCLOUD_LEASE_SECONDS: '30',
      MYCLOUD_SWEEP_SECONDS: '0.1',
      MYCLOUD_LOG_LEVEL: 'silent',
      ...env,
      ...more,
    });
    const opened = await openDeps(config, pino({ level: config.logLevel }));
    const app = await buildApi(opened.deps);
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      await app.close();
      await opened.close();
    };
    closers.unshift(close);
    return { deps: opened.deps, url, close };
  };
  const api = await startApi();
  const { pool } = api.deps;

  const addUser = async (name: string): Promise<string> => {
    const id = newId();
    await pool.query('INSERT INTO "User" (id, name) VALUES ($1, $2)', [id, name]);
    return id;
  };
  const addToken = async (userId: string, kind: string): Promise<string> => {
    const secret = randomBytes(24).toString('hex');
    await pool.query(
      `INSERT INTO "Token" (id, "userId", kind, name, hash, last4) VALUES ($1, $2, $3, 'test', $4, $5)`,
      [newId(), userId, kind, hash(secret), secret.slice(-4)],
    );
    return secret;
  };
  const labId = await addUser('lab');
  const eveId = await addUser('eve');
  await pool.query('INSERT INTO "Project" (id, "ownerId", name) VALUES ($1, $2, $3)', [
    newId(),
    labId,
    'cats',
  ]);
  const labToken = await addToken(labId, 'user');
  const lab = createClient({ url: api.url, token: labToken });
  const eve = createClient({ url: api.url, token: await addToken(eveId, 'user') });
  const workerToken = await addToken(labId, 'worker');

  const world: World = {
    databaseUrl: database.url,
    api,
    lab,
    eve,
    labId,
    labToken,
    workerToken,
    workerTokenOf: (userId) => addToken(userId, 'worker'),
    startApi,
    sweep(of = api) {
      const loops = startJobLoops(of.deps);
      closers.unshift(() => loops.close());
      return loops;
    },
    submit: (body = {}, headers) =>
      lab.call(
        jobRoutes.create,
        { params: { owner: 'lab', project: 'cats' }, body: { command: 'true', ...body } },
        { headers },
      ),
    get: (job, as = lab) => as.call(jobRoutes.get, at(job)),
    async worker(name, options = {}) {
      const client = createClient({ url: (options.api ?? api).url, token: options.token ?? workerToken });
      const machines = options.machines ?? ['cpu'];
      const { workerId } = await client.call(workerRoutes.register, {
        body: {
          protocol: 1,
          name,
          version: '0.1.0',
          runner: 'process',
          machines,
          cores: 2,
          memoryBytes: 4 * 1024 ** 3,
          gpus: options.gpus ?? 0,
          images: options.images ?? false,
        },
      });
      const worker = new TestWorker(client, workerId, machines);
      closers.unshift(async () => worker.close());
      return worker;
    },
    async snapshot(ownerId = labId) {
      const id = newId();
      await pool.query(
        `INSERT INTO "Snapshot" (id, "ownerId", hash, "manifestKey", files, bytes, "storedBytes") VALUES ($1, $2, $3, $4, 1, 1, 1)`,
        [id, ownerId, hash(id), `manifests/${id}`],
      );
      return id;
    },
    async until(what, check) {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const found = await check();
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      for (const close of closers) await close();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  return world;
}

type Held = Pick<Assignment, 'jobId' | 'attempt' | 'fence'>;

/** A worker that speaks the real protocol and does as the test says. */
export class TestWorker {
  readonly commands: WorkerCommand[] = [];
  private readonly leaving = new AbortController();

  constructor(
    readonly client: Client,
    readonly id: string,
    private readonly machines: string[],
  ) {}

  async claim(options: { ticket?: { jobId: string; attempt: number }; waitSeconds?: number } = {}) {
    const body = { workerId: this.id, machines: this.machines, ...options };
    return (await this.client.call(workerRoutes.claim, { body })).assignment;
  }

  /** Claims what must be there. */
  async take(): Promise<Assignment> {
    const assignment = await this.claim();
    if (!assignment) throw new Error('there was no job to take');
    return assignment;
  }

  heartbeat(...attempts: Held[]) {
    return this.client.call(workerRoutes.heartbeat, {
      body: { workerId: this.id, attempts: attempts.map(proof) },
    });
  }

  heartbeatWith(use: WorkerUse) {
    return this.client.call(workerRoutes.heartbeat, { body: { workerId: this.id, attempts: [], use } });
  }

  status(held: Held, status: 'running' | 'saving') {
    return this.client.call(workerRoutes.status, {
      params: { jobId: held.jobId },
      body: { ...proof(held), status },
    });
  }

  async log(held: Held, firstSeq: number, texts: string[], more: Partial<SentLine> = {}): Promise<number> {
    const lines = texts.map((text) => ({ time: 1_700_000_000_000, source: 'job' as const, text, ...more }));
    const answer = await this.client.call(workerRoutes.logs, {
      params: { jobId: held.jobId },
      body: { ...proof(held), firstSeq, lines },
    });
    return answer.lastSeq;
  }

  progress(held: Held, firstSeq: number, text: string) {
    return this.client.call(workerRoutes.logs, {
      params: { jobId: held.jobId },
      body: { ...proof(held), firstSeq, lines: [], progress: text },
    });
  }

  metrics(
    held: Held,
    batchId: string,
    points: { name: string; step: number | null; value: number | null }[],
  ) {
    return this.client.call(workerRoutes.metrics, {
      params: { jobId: held.jobId },
      body: {
        ...proof(held),
        batchId,
        points: points.map((p, i) => ({ ...p, time: 1_700_000_000_000 + i })),
      },
    });
  }

  output(held: Held, snapshotId: string) {
    return this.client.call(workerRoutes.output, {
      params: { jobId: held.jobId },
      body: { ...proof(held), snapshotId },
    });
  }

  finish(
    held: Held,
    end: {
      reason?: 'exit_zero' | 'exit_nonzero' | 'stopped_by_user' | 'worker_error' | 'worker_lost';
      detail?: string;
      exitCode?: number | null;
      outputSnapshotId?: string | null;
      lastSeq?: number;
      startedAt?: number | null;
    } = {},
  ) {
    return this.client.call(workerRoutes.finish, {
      params: { jobId: held.jobId },
      body: {
        ...proof(held),
        reason: 'exit_zero',
        detail: '',
        exitCode: 0,
        outputSnapshotId: null,
        lastSeq: 0,
        ...end,
      },
    });
  }

  /** Opens the command stream and collects what comes; resolves once it is open. */
  async listen(): Promise<void> {
    const response = await this.client.open(
      workerRoutes.commands,
      { query: { workerId: this.id } },
      { signal: this.leaving.signal },
    );
    void this.collect(response);
  }

  close(): void {
    this.leaving.abort();
  }

  private async collect(response: Answer): Promise<void> {
    try {
      for await (const event of readEvents(response))
        this.commands.push(JSON.parse(event.data) as WorkerCommand);
    } catch (error) {
      if (!this.leaving.signal.aborted) throw error;
    }
  }
}

const proof = ({ jobId, attempt, fence }: Held): Held => ({ jobId, attempt, fence });

/** What a follower of a log has seen. */
export interface Follower {
  lines: { attempt: number; seq: number; text: string }[];
  events: { event: string; data: unknown; id: string | undefined }[];
  /** Resolves when the stream ends. */
  done: Promise<void>;
  detach(): void;
}

export async function follow(
  client: Client,
  job: Job,
  from: { after?: string; tail?: number; lastEventId?: string } = {},
): Promise<Follower> {
  const { lastEventId, ...query } = from;
  const leaving = new AbortController();
  const headers: Record<string, string> = lastEventId ? { 'last-event-id': lastEventId } : {};
  const response = await client.open(
    logRoutes.stream,
    { ...at(job), query },
    { headers, signal: leaving.signal },
  );
  const follower: Follower = {
    lines: [],
    events: [],
    done: Promise.resolve(),
    detach: () => leaving.abort(),
  };
  const read = async () => {
    try {
      for await (const { event = 'message', data, id } of readEvents(response)) {
        const parsed = JSON.parse(data) as { lines?: Follower['lines'] };
        follower.events.push({ event, data: parsed, id });
        if (event === 'lines') follower.lines.push(...(parsed.lines ?? []));
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    }
  };
  follower.done = read();
  return follower;
}
