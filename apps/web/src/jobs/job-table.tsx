import type { Job } from '@mycloud/shared/browser';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { Duration } from '../job/duration.js';
import { timeText, valueText } from '../ui/format.js';
import { useKeys } from '../ui/keyboard.js';
import { useNow } from '../ui/now.js';
import { Status } from '../ui/status.js';
import { metricColumns } from './columns.js';

interface Props {
  jobs: Job[];
  ofProject: boolean;
  more?: { busy: boolean; load: () => void };
}

const rowHeight = 60;

/** Rows of jobs, of which only those in sight are in the document; the next page is got as its place comes near. */
export function JobTable({ jobs, ofProject, more }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(body.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: jobs.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: offset,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !more.busy && last >= jobs.length - 30) more.load();
  }, [last, jobs.length, more]);

  const [chosen, setChosen] = useState(-1);
  const navigate = useNavigate();
  const choose = (index: number) => {
    const next = Math.min(jobs.length - 1, Math.max(0, index));
    setChosen(next);
    rows.scrollToIndex(next, { align: 'auto' });
  };
  useKeys({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    // biome-ignore lint/correctness/noComponentHookFactories: a key's name, no component
    Enter: () => jobs[chosen] && navigate(`/${jobs[chosen].name}`),
  });

  const metrics = useMemo(() => metricColumns(jobs), [jobs]);
  return (
    <div className="jobs" role="table" aria-label="Jobs" aria-rowcount={more ? -1 : jobs.length + 1}>
      <div role="rowgroup" className="jobs-head">
        <div role="row" className="job-row">
          {['Status', 'Job', ...metrics, 'Machine', 'Duration', 'Made'].map((title, i) => (
            <span
              role="columnheader"
              key={title}
              className={i > 1 && i < 2 + metrics.length ? 'metric' : undefined}
              title={title}
            >
              {title}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} className="jobs-body" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, key, start }) => (
          <JobRow
            key={key}
            job={jobs[index] as Job}
            index={index}
            top={start - offset}
            chosen={index === chosen}
            ofProject={ofProject}
            metrics={metrics}
          />
        ))}
      </div>
      {more?.busy && (
        <p className="dim loading" role="status">
          Loading more jobs…
        </p>
      )}
    </div>
  );
}

interface RowProps {
  job: Job;
  index: number;
  top: number;
  chosen: boolean;
  ofProject: boolean;
  metrics: string[];
}

const JobRow = memo(function JobRow({ job, index, top, chosen, ofProject, metrics }: RowProps) {
  const now = useNow();
  return (
    <div
      role="row"
      className={`job-row ${chosen ? 'chosen' : ''}`}
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)`, height: rowHeight }}
    >
      <span role="cell">
        <Status status={job.status} />
      </span>
      <span role="cell" className="job-what">
        <Link to={`/${job.name}`} className="row-link">
          {!ofProject && <span className="job-project">{job.project}</span>}
          <span>#{job.number}</span>
          {job.description && <span className="job-description">{job.description}</span>}
        </Link>
        <code title={job.command}>
          {job.message && job.status !== 'succeeded' ? `${job.message} — ${job.command}` : job.command}
        </code>
      </span>
      {metrics.map((name) => (
        <span role="cell" key={name} className="metric number" data-name={name}>
          {valueText(job.metrics[name])}
        </span>
      ))}
      <span role="cell" className="job-where">
        {job.machine}
        {job.worker && <small>{job.worker}</small>}
      </span>
      <span role="cell" className="number">
        <Duration job={job} />
      </span>
      <time role="cell" className="number dim" dateTime={job.createdAt} title={job.createdAt}>
        {timeText(job.createdAt, now)}
      </time>
    </div>
  );
});
