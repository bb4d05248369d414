import type { Job } from '@mycloud/shared/browser';
import { useQueries } from '@tanstack/react-query';
import { useConnection } from '../api/live.js';
import { extremesQuery, isActive, type JobRef, jobQuery, snapshotQuery } from '../api/queries.js';
import type { Extremes } from './rows.js';

/** One of the compared jobs. */
export interface Compared {
  job: Job;
  at: JobRef;
  /** #12, or with its project where there are several. */
  word: string;
  /** Which line it is. */
  look: number;
}

/** The jobs themselves; those that can't be had are told apart, so that the others are compared anyway. */
export function useJobs(refs: JobRef[]) {
  const away = useConnection() === 'away';
  const found = useQueries({
    queries: refs.map((ref) => ({
      ...jobQuery(ref),
      refetchInterval: (query: { state: { data?: Job } }) =>
        away && query.state.data && isActive(query.state.data) ? 3000 : (false as const),
    })),
  });
  const one = new Set(found.map(({ data }) => data && `${data.owner}/${data.project}`)).size <= 1;
  const compared = found.flatMap(({ data: job }, look): Compared[] =>
    job
      ? [{ job, at: refs[look]!, look, word: one ? `#${job.number}` : `${job.project} #${job.number}` }]
      : [],
  );
  const errors = found.flatMap(({ error }, i) => (error ? [{ at: refs[i]!, error }] : []));
  return { compared, errors, pending: found.some((one) => one.isPending) };
}

/** Least and greatest values of each job's metrics, in order; what runs is asked again now and then. */
export function useExtremes(compared: Compared[]): (Extremes | undefined)[] {
  const found = useQueries({
    queries: compared.map(({ at, job }) => ({
      ...extremesQuery(at, job),
      refetchInterval: isActive(job) ? 10_000 : (false as const),
    })),
  });
  return found.map(({ data }) => data && new Map(data.items.map((item) => [item.name, item])));
}

/** The content hash of each job's code, by the snapshot's id. */
export function useCodeHashes(compared: Compared[]): (snapshotId: string) => string | undefined {
  const ids = [...new Set(compared.flatMap(({ job }) => job.codeSnapshotId ?? []))];
  const found = useQueries({ queries: ids.map(snapshotQuery) });
  const hashes = new Map(ids.map((id, i) => [id, found[i]?.data?.hash]));
  return (id) => hashes.get(id);
}
