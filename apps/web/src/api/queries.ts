import { isEnd, type Job, type JobRef, type JobStatus } from '@mycloud/shared/browser';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call } from './call.js';

export type { JobRef };

export interface JobFilter {
  owner?: string;
  project?: string;
  status?: JobStatus;
  text?: string;
  tag?: string;
  /** `duration` or `metric:NAME`; undefined: by when they were made. */
  sort?: string;
  order?: 'asc';
}

export const jobKey = ({ owner, project, number }: JobRef): string =>
  `${owner}/projects/${project}/${number}`;
const jobBase = '/v1/projects/:owner/:project/jobs/:number';
const pageSize = 100;

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => call('GET /v1/me', {}, { signal }),
  staleTime: 60_000,
  retry: false,
});

export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: ['jobs', filter],
    queryFn: ({ pageParam, signal }) =>
      call('GET /v1/jobs', { query: { ...filter, limit: pageSize, cursor: pageParam } }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

export const jobQuery = (ref: JobRef) =>
  queryOptions({
    queryKey: ['job', jobKey(ref)],
    queryFn: ({ signal }) => call(`GET ${jobBase}`, { params: ref }, { signal }),
  });

export const eventsQuery = (ref: JobRef, job: Job) =>
  queryOptions({
    queryKey: ['events', jobKey(ref), job.status, job.attempt],
    queryFn: ({ signal }) => call(`GET ${jobBase}/events`, { params: ref }, { signal }),
  });

export const metricsQuery = (ref: JobRef) =>
  queryOptions({
    queryKey: ['metrics', jobKey(ref)],
    queryFn: ({ signal }) => call(`GET ${jobBase}/metrics`, { params: ref }, { signal }),
  });

/** With the least and greatest value of each series; read again once the job has gone on. */
export const extremesQuery = (ref: JobRef, job: Job) =>
  queryOptions({
    queryKey: ['extremes', jobKey(ref), job.attempt, isEnd(job.status)],
    queryFn: ({ signal }) =>
      call(`GET ${jobBase}/metrics`, { params: ref, query: { extremes: 'true' } }, { signal }),
  });

export const snapshotQuery = (id: string) =>
  queryOptions({
    queryKey: ['snapshot', id],
    queryFn: ({ signal }) => call('GET /v1/snapshots/:id', { params: { id } }, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export interface SeriesPart {
  name: string;
  axis: 'step' | 'time';
  buckets: number;
  from?: number;
  to?: number;
}

export const bucketsQuery = (ref: JobRef, part: SeriesPart) =>
  queryOptions({
    queryKey: ['buckets', jobKey(ref), part],
    queryFn: ({ signal }) => call(`GET ${jobBase}/metrics/buckets`, { params: ref, query: part }, { signal }),
  });

/** @param jobs by name, with commas between them */
export const tensorboardQuery = (jobs: string) =>
  queryOptions({
    queryKey: ['tensorboard', jobs],
    queryFn: ({ signal }) => call('GET /v1/tensorboards', { query: { jobs } }, { signal }),
    // Asking keeps it running, and tells when it died.
    refetchInterval: 5000,
  });

export const summariesQuery = (ref: JobRef) =>
  queryOptions({
    queryKey: ['summaries', jobKey(ref)],
    queryFn: ({ signal }) => call(`GET ${jobBase}/summaries`, { params: ref }, { signal }),
  });

export const filesQuery = (snapshotId: string, path: string) =>
  queryOptions({
    queryKey: ['files', snapshotId, path],
    queryFn: ({ signal }) =>
      call('GET /v1/snapshots/:id/files', { params: { id: snapshotId }, query: { path } }, { signal }),
    // A snapshot never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const projectQuery = (owner: string, project: string) =>
  queryOptions({
    queryKey: ['project', owner, project],
    queryFn: ({ signal }) =>
      call('GET /v1/projects/:owner/:project', { params: { owner, project } }, { signal }),
  });

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: ({ signal }) => call('GET /v1/projects', { query: { limit: 500 } }, { signal }),
});

export const datasetsQuery = infiniteQueryOptions({
  queryKey: ['datasets'],
  queryFn: ({ pageParam, signal }) =>
    call('GET /v1/datasets', { query: { limit: 100, cursor: pageParam } }, { signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.nextCursor ?? undefined,
});

export const ownDatasetsQuery = (owner: string) =>
  queryOptions({
    queryKey: ['datasets', 'of', owner],
    queryFn: ({ signal }) => call('GET /v1/datasets', { query: { owner, limit: 500 } }, { signal }),
  });

export const datasetQuery = (owner: string, dataset: string) =>
  queryOptions({
    queryKey: ['dataset', owner, dataset],
    queryFn: ({ signal }) =>
      call('GET /v1/datasets/:owner/:dataset', { params: { owner, dataset } }, { signal }),
  });

export const versionsQuery = (owner: string, dataset: string) =>
  queryOptions({
    queryKey: ['versions', owner, dataset],
    queryFn: ({ signal }) =>
      call(
        'GET /v1/datasets/:owner/:dataset/versions',
        { params: { owner, dataset }, query: { limit: 500 } },
        { signal },
      ),
  });

export const usesQuery = (owner: string, dataset: string, number?: number) =>
  infiniteQueryOptions({
    queryKey: ['uses', owner, dataset, number],
    queryFn: ({ pageParam, signal }) =>
      call(
        'GET /v1/datasets/:owner/:dataset/uses',
        { params: { owner, dataset }, query: { number, cursor: pageParam } },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

export const changesQuery = (snapshotId: string, since: string) =>
  infiniteQueryOptions({
    queryKey: ['changes', snapshotId, since],
    queryFn: ({ pageParam, signal }) =>
      call(
        'GET /v1/snapshots/:id/changes',
        { params: { id: snapshotId }, query: { since, from: pageParam } },
        { signal },
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
    // Snapshots never change.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => call('GET /v1/workers', {}, { signal }),
  refetchInterval: 5000,
});

export const schedulesQuery = queryOptions({
  queryKey: ['schedules'],
  queryFn: ({ signal }) => call('GET /v1/schedules', {}, { signal }),
  refetchInterval: 5000,
});

export const machinesQuery = queryOptions({
  queryKey: ['machines'],
  queryFn: ({ signal }) => call('GET /v1/machines', {}, { signal }),
  refetchInterval: 5000,
});

export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: ({ signal }) => call('GET /v1/environments', {}, { signal }),
});

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) => call('GET /v1/tokens', {}, { signal }),
});

export const storageQuery = queryOptions({
  queryKey: ['storage'],
  queryFn: ({ signal }) => call('GET /v1/me/storage', {}, { signal }),
});

/** The newest job of the project with a lower number; null where there is none. */
export const jobBeforeQuery = (ref: JobRef) =>
  queryOptions({
    queryKey: ['job-before', jobKey(ref)],
    queryFn: async ({ signal }) => {
      const { owner, project, number } = ref;
      const query = { owner, project, before: number, limit: 1 };
      return (await call('GET /v1/jobs', { query }, { signal })).items[0] ?? null;
    },
  });

export const queueQuery = queryOptions({
  queryKey: ['queue'],
  queryFn: ({ signal }) => call('GET /v1/queue', { query: { limit: 2000 } }, { signal }),
  refetchInterval: 5000,
});

export const isActive = (job: Job): boolean => !isEnd(job.status);
