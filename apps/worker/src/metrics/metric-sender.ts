import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttemptProof, type Client, type MetricPoint, workerRoutes } from '@mycloud/shared';
import { isDiskFull } from '../disk/room.js';
import { type Batch, Spool } from '../logs/spool.js';
import { answered, untilAnswered } from '../retry.js';

const batchEveryMs = 250;
const maxPoints = 2_000;
const maxUnwritten = 10_000;

/** Spools an attempt's metric points and sends them, each once: a batch sent again carries the same id. */
export class MetricSender {
  #client: Client;
  #proof: AttemptProof;
  #spool: Spool<MetricPoint>;
  /** Those a full disk didn't take. */
  #unwritten: MetricPoint[] = [];
  #running: Promise<void> | null = null;
  #stopped = new AbortController();
  #onFailure: (error: unknown) => void;

  /** @param onFailure told when the api refuses points for good. */
  constructor(client: Client, proof: AttemptProof, file: string, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#proof = proof;
    this.#spool = new Spool(file);
    this.#onFailure = onFailure;
    this.#start(0);
  }

  add(points: readonly MetricPoint[]): void {
    if (points.length === 0) return;
    this.#unwritten.push(...points);
    try {
      this.#write();
    } catch (error) {
      // They wait for room in memory, as many as that is fair.
      if (!isDiskFull(error)) {
        this.#onFailure(error);
        return;
      }
      this.#unwritten.splice(0, this.#unwritten.length - maxUnwritten);
    }
    this.#start(batchEveryMs);
  }

  /** Resolves when all points are stored. */
  async drain(): Promise<void> {
    this.#write();
    while (this.#spool.acked < this.#spool.size && !this.#stopped.signal.aborted) {
      await (this.#running ?? this.#start(0));
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  close(): void {
    this.stop();
    this.#spool.close();
  }

  #write(): void {
    if (this.#unwritten.length === 0) return;
    this.#spool.append(this.#unwritten);
    this.#unwritten = [];
  }

  #start(delayMs: number): Promise<void> {
    this.#running ??= this.#run(delayMs)
      .catch((error: unknown) => {
        if (this.#stopped.signal.aborted) return;
        this.stop();
        this.#onFailure(error);
      })
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async #run(delayMs: number): Promise<void> {
    const { signal } = this.#stopped;
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
    const { jobId, attempt, fence } = this.#proof;
    while (this.#spool.acked < this.#spool.size) {
      const batch = this.#spool.read(this.#spool.acked, maxPoints);
      if (batch.records.length === 0) return;
      this.#spool.sending(batch);
      const body = { attempt, fence, batchId: this.#batchId(batch), points: batch.records };
      const send = (limit: AbortSignal) =>
        this.#client.call(workerRoutes.metrics, { params: { jobId }, body }, { signal: limit });
      await untilAnswered(() => answered(send, signal), signal);
      this.#spool.ack(batch.end);
    }
  }

  /** A UUID of what the batch is: the same one after a restart. */
  #batchId(batch: Batch<MetricPoint>): string {
    const { jobId, attempt } = this.#proof;
    const bytes = createHash('sha256')
      .update(`${jobId} ${attempt} ${batch.start} ${batch.end}`)
      .digest()
      .subarray(0, 16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}
