import type { Deps } from '../deps.js';
import { type SeenJob, viewJobs } from './view.js';

/** Changes are read together this long after the first of them, for all listeners at once. */
const gatherMs = 400;

interface Changed {
  jobs: SeenJob[];
  /** Ids of those with new points. */
  metrics: ReadonlySet<string>;
  /** Ids of those that were deleted: they tell nothing to who didn't see them. */
  gone: string[];
}

/** Tells pages which jobs changed, anywhere: a hundred of them cost one read. Nothing is read while nobody listens. */
export class JobChanges {
  private readonly listeners = new Set<(changed: Changed) => void>();
  private readonly ends: (() => void)[];
  private changed = new Set<string>();
  private metrics = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly deps: Deps) {
    this.ends = [
      deps.hub.subscribe((signal) => {
        if (signal.type !== 'job' && signal.type !== 'metrics') return;
        if (this.listeners.size === 0) return;
        this.changed.add(signal.jobId);
        if (signal.type === 'metrics') this.metrics.add(signal.jobId);
        this.timer ??= setTimeout(() => void this.tell(), gatherMs);
      }),
    ];
  }

  /** @returns leaves */
  join(listener: (changed: Changed) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const end of this.ends) end();
  }

  private async tell(): Promise<void> {
    const { changed, metrics } = this;
    this.changed = new Set();
    this.metrics = new Set();
    try {
      const jobs = await viewJobs(this.deps, [...changed]);
      const there = new Set(jobs.map(({ job }) => job.id));
      const gone = [...changed].filter((id) => !there.has(id));
      for (const listener of [...this.listeners]) listener({ jobs, metrics, gone });
    } catch (error) {
      // Pages read again by themselves now and then.
      this.deps.log.warn({ err: error }, 'changes of jobs could not be read for pages');
    } finally {
      this.timer = undefined;
      if (this.changed.size > 0) this.timer = setTimeout(() => void this.tell(), gatherMs);
    }
  }
}
