import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Columns3 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useParams } from 'react-router';
import { useConnection } from '../api/live.js';
import { isActive, type JobFilter, jobsQuery, projectQuery } from '../api/queries.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { ChosenBar } from './chosen-bar.js';
import { ColumnDialog } from './column-dialog.js';
import { usualColumns } from './columns.js';
import { Filters } from './filters.js';
import { JobTable } from './job-table.js';
import { ProjectHead } from './project-head.js';
import { useJobsView } from './use-view.js';

/** Jobs of a project, or of everybody one may see. How they are looked at stands in the address. */
export function JobsPage() {
  const { owner, project } = useParams();
  const { filter, columns: own, changed, reset } = useJobsView(owner, project);
  const away = useConnection() === 'away';
  const jobs = useInfiniteQuery({
    ...jobsQuery(filter),
    // The rows stay while they are filtered or sorted anew, those of another project don't.
    placeholderData: (old, query) => (isSamePlace(query?.queryKey[1], filter) ? old : undefined),
    // A sorted list isn't told when a job's place in it changes.
    refetchInterval: ({ state }) =>
      away || (filter.sort && state.data?.pages.some((page) => page.items.some(isActive))) ? 5000 : false,
  });
  const found = useQuery({ ...projectQuery(owner ?? '', project ?? ''), enabled: Boolean(project) });
  useHead(project ? `${owner}/${project}` : 'Jobs');
  const items = useMemo(() => jobs.data?.pages.flatMap((page) => page.items) ?? [], [jobs.data]);
  const usual = useMemo(() => usualColumns(items), [items]);
  const columns = own ?? usual;
  const [choosing, setChoosing] = useState(false);
  const filtered = Boolean(filter.status || filter.text || filter.tag || (!project && filter.project));
  const head =
    owner && project ? <ProjectHead at={{ owner, project }} project={found.data} /> : <h1>Jobs</h1>;
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
      <div className="list-bar">
        <Filters filter={filter} ofProject={Boolean(project)} />
        {changed && (
          <button type="button" className="link" onClick={reset}>
            Show as usual
          </button>
        )}
        <button type="button" className="button" onClick={() => setChoosing(true)}>
          <Columns3 size={14} aria-hidden /> Columns
        </button>
      </div>
      {jobs.error && !jobs.data && <ErrorNotice error={jobs.error} retry={() => jobs.refetch()} />}
      {jobs.isPending && !jobs.error && <Loading what="jobs" />}
      {jobs.data && items.length === 0 && <NoJobs filtered={filtered} project={project} />}
      {jobs.data?.pages[0]?.cut && (
        <p className="notice" role="status">
          Only the newest 10,000 jobs are sorted; older ones are not listed. Filter to see others.
        </p>
      )}
      {items.length > 0 && (
        <JobTable
          jobs={items}
          ofProject={Boolean(project)}
          filter={filter}
          columns={columns}
          own={own !== undefined}
          more={moreOf(jobs)}
        />
      )}
      <ChosenBar />
      {choosing && <ColumnDialog columns={columns} jobs={items} onClose={() => setChoosing(false)} />}
    </div>
  );
}

const isSamePlace = (key: string | JobFilter | undefined, { owner, project }: JobFilter): boolean =>
  typeof key === 'object' && key.owner === owner && key.project === project;

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(options: { cancelRefetch: boolean }): unknown;
}

const moreOf = (jobs: Pages) =>
  jobs.hasNextPage
    ? { busy: jobs.isFetchingNextPage, load: () => void jobs.fetchNextPage({ cancelRefetch: false }) }
    : undefined;

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
