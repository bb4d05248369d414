import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { findJob } from '../jobs/access.js';

interface JobAt {
  owner: string;
  project: string;
  number: number;
}

/** Should the word of new points be lost, what was read before them is believed no longer than this. */
const mostMs = 2000;
const mostJobs = 1000;
const mostSeen = 10_000;

interface Entry {
  until: number;
  json: Promise<string>;
}

/**
 * What pages ask of a job's points, read and written as JSON once for all of them until the job has new ones: fifty pages that
 * watch one job hear of its points at the same moment, and ask the same.
 */
export class SharedReads {
  private readonly jobs = new Map<string, Map<string, Entry>>();
  private readonly seen = new Map<string, { until: number; jobId: string }>();
  private readonly ends: (() => void)[];

  constructor(private readonly deps: Deps) {
    this.ends = [
      deps.hub.subscribe((signal) => {
        if (signal.type === 'metrics') this.jobs.delete(signal.jobId);
      }),
      deps.hub.onGap(() => this.jobs.clear()),
    ];
  }

  /** The job, if the caller may see it; that he may is believed for two seconds. @throws AppError not_found */
  async find(caller: UserPrincipal, at: JobAt): Promise<string> {
    const key = `${caller.userId} ${caller.role} ${at.owner}/${at.project}/${at.number}`;
    const known = this.seen.get(key);
    if (known && known.until > Date.now()) return known.jobId;
    if (this.seen.size >= mostSeen) this.seen.clear();
    const { id: jobId } = await findJob(this.deps, caller, at, 'read');
    this.seen.set(key, { until: Date.now() + mostMs, jobId });
    return jobId;
  }

  /** @param key what is asked @param read is called unless the same was asked just now */
  async json(jobId: string, key: string, read: () => Promise<unknown>): Promise<string> {
    if (this.jobs.size >= mostJobs) this.jobs.clear();
    const entries = this.jobs.get(jobId) ?? new Map<string, Entry>();
    this.jobs.set(jobId, entries);
    const known = entries.get(key);
    if (known && known.until > Date.now()) return known.json;
    const entry = { until: Date.now() + mostMs, json: read().then((answer) => JSON.stringify(answer)) };
    entries.set(key, entry);
    // What failed is asked again by the next.
    entry.json.catch(() => entries.delete(key));
    return entry.json;
  }

  close(): void {
    for (const end of this.ends) end();
  }
}
