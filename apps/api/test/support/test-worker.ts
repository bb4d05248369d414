import {
  type Answer,
  type Assignment,
  type Client,
  readEvents,
  type SentLine,
  type WorkerCommand,
  type WorkerUse,
  workerRoutes,
} from '@mycloud/shared';

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
      firstSeq?: number;
      lines?: { text: string; time: number; source: 'job' | 'system' }[];
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
