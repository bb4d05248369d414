import { type JobStatus, jobStatuses } from '@mycloud/shared/browser';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { useConnection } from '../api/live.js';
import { type JobFilter, jobsQuery, projectQuery } from '../api/queries.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Filters } from './filters.js';
import { JobTable } from './job-table.js';

/** Jobs of a project, or of everybody one may see. What is filtered for stands in the address. */
export function JobsPage() {
  const { owner, project } = useParams();
  const [search] = useSearchParams();
  const filter = useMemo(() => readFilter(search, owner, project), [search, owner, project]);
  const away = useConnection() === 'away';
  const jobs = useInfiniteQuery({ ...jobsQuery(filter), refetchInterval: away ? 5000 : false });
  const found = useQuery({ ...projectQuery(owner ?? '', project ?? ''), enabled: Boolean(project) });
  useHead(project ? `${owner}/${project}` : 'Jobs');
  const items = useMemo(() => jobs.data?.pages.flatMap((page) => page.items) ?? [], [jobs.data]);
  const filtered = Boolean(filter.status || filter.text || (!project && filter.project));
  const head =
    owner && project ? (
      <ProjectHead owner={owner} project={project} description={found.data?.description} />
    ) : (
      <h1>Jobs</h1>
    );
  if (found.error) {
    return (
      <div className="page">
        {head}
        <ErrorNotice error={found.error} retry={() => found.refetch()} />
      </div>
    );
  }
  return (
    <div className="page">
      {head}
      <Filters filter={filter} ofProject={Boolean(project)} />
      {jobs.error && !jobs.data && <ErrorNotice error={jobs.error} retry={() => jobs.refetch()} />}
      {jobs.isPending && !jobs.error && <Loading what="jobs" />}
      {jobs.data && items.length === 0 && <NoJobs filtered={filtered} project={project} />}
      {items.length > 0 && <JobTable jobs={items} ofProject={Boolean(project)} more={moreOf(jobs)} />}
    </div>
  );
}

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(options: { cancelRefetch: boolean }): unknown;
}

const moreOf = (jobs: Pages) =>
  jobs.hasNextPage
    ? { busy: jobs.isFetchingNextPage, load: () => void jobs.fetchNextPage({ cancelRefetch: false }) }
    : undefined;

function readFilter(search: URLSearchParams, owner?: string, project?: string): JobFilter {
  const status = search.get('status') as JobStatus | null;
  const [askedOwner, askedProject] = (search.get('project') ?? '').split('/');
  return {
    owner: owner ?? (askedOwner || undefined),
    project: project ?? (askedProject || undefined),
    status: status && jobStatuses.includes(status) ? status : undefined,
    text: search.get('q') || undefined,
  };
}

function ProjectHead({
  owner,
  project,
  description,
}: {
  owner: string;
  project: string;
  description?: string;
}) {
  return (
    <div className="page-head">
      <p className="crumbs">
        <Link to="/">Jobs</Link> / {owner}
      </p>
      <h1>{project}</h1>
      {description && <p className="job-text">{description}</p>}
    </div>
  );
}

function NoJobs({ filtered, project }: { filtered: boolean; project?: string }) {
  if (filtered) return <Empty title="No job matches">Take a filter away to see more.</Empty>;
  if (project) {
    return (
      <Empty
        title="No jobs yet"
        commands={['mycloud run --data NAME:input --gpu "train --logdir /output/Graph"']}
      >
        Run a command in this project’s folder:
      </Empty>
    );
  }
  return (
    <Empty
      title="No jobs yet"
      commands={[
        'mycloud init my-project',
        'mycloud run --data NAME:input --gpu "train --logdir /output/Graph"',
      ]}
    >
      In a folder with your code, make it a project and run a command:
    </Empty>
  );
}
