import type { Job } from '@mycloud/shared/browser';
import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { useVisible } from '../ui/visible.js';
import type { JobFilter } from './queries.js';
import { followStream } from './stream.js';

/** `live`: changes come by themselves; `away`: the server doesn't answer, and is asked again and again. */
export type Connection = 'opening' | 'live' | 'away';
const ConnectionContext = createContext<Connection>('opening');
export const useConnection = (): Connection => useContext(ConnectionContext);

type JobPages = InfiniteData<{ items: Job[]; nextCursor: string | null }>;

/**
 * One stream of changes for the whole page keeps what was read fresh. A browser opens only six connections to a
 * server for all its tabs, so a hidden tab gives its own back.
 */
export function LiveJobs({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const visible = useVisible();
  const [connection, setConnection] = useState<Connection>('opening');

  useEffect(() => {
    if (!visible) return;
    const refresh = metricsRefresher(client);
    let lost = false;
    const end = followStream(() => '/v1/jobs/stream', {
      open() {
        setConnection('live');
        // What happened while it was away is read again.
        if (lost) void client.invalidateQueries();
        lost = false;
      },
      lost(refused) {
        lost = true;
        setConnection('away');
        // The session may be over: asking who it is shows that.
        if (refused) void client.invalidateQueries({ queryKey: ['me'] });
      },
      on: {
        jobs: (data) => takeJobs(client, (JSON.parse(data) as { items: Job[] }).items),
        metrics(data) {
          for (const name of (JSON.parse(data) as { names: string[] }).names) void refresh(name);
        },
        gone: (data) => dropJobs(client, (JSON.parse(data) as { ids: string[] }).ids),
        missed: () => void client.invalidateQueries(),
      },
    });
    void client.invalidateQueries({ queryKey: ['jobs'] });
    void client.invalidateQueries({ queryKey: ['job'] });
    return end;
  }, [client, visible]);

  return <ConnectionContext value={connection}>{children}</ConnectionContext>;
}

/** A page reads a job's points at most so often, however often they come. */
const restMs = 700;

/** Reads what is shown of a job's metrics again: what comes during a read waits for its end, so that however long one takes it gets there. */
function metricsRefresher(client: QueryClient) {
  const busy = new Set<string>();
  const again = new Set<string>();
  return async (name: string): Promise<void> => {
    if (busy.has(name)) {
      again.add(name);
      return;
    }
    busy.add(name);
    do {
      again.delete(name);
      await Promise.all([
        ...['metrics', 'buckets'].map((kind) => client.invalidateQueries({ queryKey: [kind, name] })),
        new Promise((resolve) => setTimeout(resolve, restMs)),
      ]);
    } while (again.has(name));
    busy.delete(name);
  };
}

/** Puts changed jobs where they are shown; a list that may have to show another one is read again. */
function takeJobs(client: QueryClient, jobs: Job[]): void {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  for (const job of jobs) {
    // Only the job's own route knows its place in line.
    if (job.status === 'queued') void client.invalidateQueries({ queryKey: ['job', job.name] });
    else client.setQueryData<Job>(['job', job.name], (old) => old && job);
  }
  for (const query of client.getQueryCache().findAll({ queryKey: ['jobs'] })) {
    const pages = query.state.data as JobPages | undefined;
    if (!pages) continue;
    const known = new Set(pages.pages.flatMap((page) => page.items.map((job) => job.id)));
    const [, filter] = query.queryKey as [string, JobFilter];
    const newest = pages.pages[0]?.items[0]?.createdAt ?? '';
    // In an order of its own a new job has a place only the server knows; where the others stand it tells now and then.
    const sorted = Boolean(filter.sort || filter.order);
    const made = jobs.filter(
      (job) =>
        !known.has(job.id) &&
        job.createdAt > newest &&
        (filter.owner ?? job.owner) === job.owner &&
        (filter.project ?? job.project) === job.project,
    );
    // Whether a job belongs among those of a text only the server tells.
    const asks = Boolean(filter.status || filter.text || filter.tag);
    const moves =
      (asks && jobs.some((job) => !known.has(job.id) || job.status !== filter.status)) ||
      (sorted && made.length > 0);
    const [first, ...others] = pages.pages.map((page) => ({
      ...page,
      items: page.items.map((job) => byId.get(job.id) ?? job),
    }));
    if (!first) continue;
    made.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    const items = asks || sorted ? first.items : [...made, ...first.items];
    client.setQueryData<JobPages>(query.queryKey, { ...pages, pages: [{ ...first, items }, ...others] });
    if (moves) void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
  }
}

/** Takes deleted jobs out of the lists; their own pages learn that they are gone. */
export function dropJobs(client: QueryClient, ids: string[]): void {
  const gone = new Set(ids);
  client.setQueriesData<JobPages>({ queryKey: ['jobs'] }, (old) => {
    if (!old?.pages.some((page) => page.items.some((job) => gone.has(job.id)))) return old;
    const pages = old.pages.map((page) => ({
      ...page,
      items: page.items.filter((job) => !gone.has(job.id)),
    }));
    return { ...old, pages };
  });
  for (const query of client.getQueryCache().findAll({ queryKey: ['job'] })) {
    const job = query.state.data as Job | undefined;
    if (job && gone.has(job.id)) void query.reset();
  }
}
