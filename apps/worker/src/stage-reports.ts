import { type AttemptProof, type Client, workerRoutes } from '@mycloud/shared';
import { Pause } from './pause.js';
import { answered, untilAnswered } from './retry.js';

type Stage = 'running' | 'saving';

/** A stage that is over sooner isn't told: a job that takes a moment costs no more calls than its end. */
const afterMs = 50;

/** Tells the api where an attempt stands, in order, the newest stage alone, without holding the attempt up. */
export class StageReports {
  #wanted: Stage | null = null;
  #telling: Promise<void> | null = null;
  /** Before the first call. */
  #pause = new Pause();

  /** @param onFailure told when the api refuses it for good */
  constructor(
    readonly client: Client,
    readonly proof: AttemptProof,
    readonly over: AbortSignal,
    readonly onFailure: (error: unknown) => void,
  ) {}

  report(stage: Stage): void {
    this.#wanted = stage;
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = null;
    });
  }

  /** The end is told next: what was not told yet is left out. Resolves when no call is under way. */
  async end(): Promise<void> {
    this.#wanted = null;
    this.#pause.end();
    await this.#telling;
  }

  async #tell(): Promise<void> {
    const { over, client } = this;
    const { jobId, attempt, fence } = this.proof;
    try {
      await this.#pause.wait(afterMs);
      for (let status = this.#wanted; status !== null && !over.aborted; status = this.#wanted) {
        this.#wanted = null;
        const input = { params: { jobId }, body: { attempt, fence, status } };
        const tell = (limit: AbortSignal) => client.call(workerRoutes.status, input, { signal: limit });
        await untilAnswered(() => answered(tell, over), over);
      }
    } catch (error) {
      this.onFailure(error);
    }
  }
}
