import type { Job } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { NavLink, useNavigate, useParams } from 'react-router';
import { useConnection } from '../api/live.js';
import { isActive, type JobRef, jobQuery } from '../api/queries.js';
import { ChartsTab } from '../charts/charts-tab.js';
import { FilesTab } from '../files/files-tab.js';
import { LogsTab } from '../logs/logs-tab.js';
import { TensorboardTab } from '../tensorboard/tensorboard-tab.js';
import { useHead } from '../ui/head.js';
import { useKeys } from '../ui/keyboard.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { DetailsTab } from './details-tab.js';
import { JobHeader } from './job-header.js';

const tabs = [
  { path: '', word: 'Charts', show: ChartsTab },
  { path: 'logs', word: 'Logs', show: LogsTab },
  { path: 'files', word: 'Files', show: FilesTab },
  { path: 'tensorboard', word: 'TensorBoard', show: TensorboardTab },
  { path: 'details', word: 'Details', show: DetailsTab },
];

/** What every tab is given. */
export interface TabProps {
  job: Job;
  at: JobRef;
}

export function JobPage() {
  const { owner = '', project = '', number = '', tab = '' } = useParams();
  if (!/^[1-9]\d{0,8}$/.test(number)) return <Empty title={`“${number}” is no job’s number`} />;
  return (
    <OneJob key={`${owner}/${project}/${number}`} at={{ owner, project, number: Number(number) }} tab={tab} />
  );
}

function OneJob({ at, tab }: { at: JobRef; tab: string }) {
  const away = useConnection() === 'away';
  const found = useQuery({
    ...jobQuery(at),
    // A job that waits moves up in a line of which nobody tells.
    refetchInterval: ({ state }) =>
      away || state.data?.status === 'queued' ? 3000 : state.data && isActive(state.data) ? 15_000 : false,
  });
  const navigate = useNavigate();
  const base = `/${at.owner}/projects/${at.project}/${at.number}`;
  useKeys(
    Object.fromEntries(
      tabs.map(({ path }, i) => [String(i + 1), () => navigate(path ? `${base}/${path}` : base)]),
    ),
  );
  const job = found.data;
  useHead(`${at.project} #${at.number}`, job?.status);
  if (!job) {
    return found.error ? (
      <div className="page">
        <ErrorNotice error={found.error} retry={() => found.refetch()} />
      </div>
    ) : (
      <Loading what="the job" />
    );
  }
  const { show: Tab } = tabs.find(({ path }) => path === tab) ?? tabs[0]!;
  return (
    <div className="page">
      <JobHeader job={job} at={at} />
      <nav className="tabs" aria-label="Parts of this job">
        {tabs.map(({ path, word }) => (
          <NavLink key={word} to={path ? `${base}/${path}` : base} end>
            {word}
          </NavLink>
        ))}
      </nav>
      <Tab job={job} at={at} />
    </div>
  );
}
