import type { WorkerDeps } from './deps.js';

/** A stage that is over sooner has no line of its own in the log: the one of the end has the times of all. */
const brieflyMs = 100;

/** The stages an attempt goes through here, each with its time, its span and, unless it is over in a moment, its line in the log. */
export class StageTimes {
  #deps: Pick<WorkerDeps, 'tracing' | 'log' | 'metrics'>;
  #job: string;
  /** Milliseconds that each took. */
  readonly ms: Record<string, number> = {};

  constructor(deps: Pick<WorkerDeps, 'tracing' | 'log' | 'metrics'>, job: string) {
    this.#deps = deps;
    this.#job = job;
  }

  async run(stage: string, work: () => Promise<void>): Promise<void> {
    const { tracing, log, metrics } = this.#deps;
    const began = performance.now();
    const saying = setTimeout(() => log.info({ job: this.#job, stage }, 'attempt goes on'), brieflyMs);
    try {
      await tracing.span(stage, {}, work);
    } finally {
      clearTimeout(saying);
      const ms = performance.now() - began;
      this.ms[stage] = Math.round(ms);
      metrics.stageSeconds.observe({ stage }, ms / 1000);
    }
  }
}
