import type { Job } from '@mycloud/shared/browser';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { JobFilter } from '../api/queries.js';
import { useKeys } from '../ui/keyboard.js';
import { toggleChosen, useChosen } from './chosen.js';
import type { ColumnId } from './columns.js';
import { JobRow } from './job-row.js';
import { TableHead } from './table-head.js';

interface Props {
  jobs: Job[];
  ofProject: boolean;
  filter: JobFilter;
  columns: readonly ColumnId[];
  /** A person chose the columns: all are shown, however narrow the screen. */
  own: boolean;
  more?: { busy: boolean; load: () => void };
}

const rowHeight = 60;

/** Rows of jobs, of which only those in sight are in the document; the next page is got as its place comes near. */
export function JobTable({ jobs, ofProject, filter, columns, own, more }: Props) {
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

  const chosen = useChosen();
  const [current, setCurrent] = useState(-1);
  const navigate = useNavigate();
  const go = (index: number) => {
    const next = Math.min(jobs.length - 1, Math.max(0, index));
    setCurrent(next);
    rows.scrollToIndex(next, { align: 'auto' });
  };
  useKeys({
    j: () => go(current + 1),
    k: () => go(current - 1),
    x: () => jobs[current] && toggleChosen(jobs[current].name),
    // biome-ignore lint/correctness/noComponentHookFactories: a key's name, no component
    Enter: () => jobs[current] && navigate(`/${jobs[current].name}`),
  });

  return (
    <div
      className={`jobs ${own ? 'jobs-own' : ''}`}
      role="table"
      aria-label="Jobs"
      aria-rowcount={more ? -1 : jobs.length + 1}
    >
      <TableHead columns={columns} filter={filter} />
      <div role="rowgroup" ref={body} className="jobs-body" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const job = jobs[index] as Job;
          return (
            <JobRow
              key={key}
              job={job}
              index={index}
              top={start - offset}
              height={rowHeight}
              current={index === current}
              chosen={chosen.includes(job.name)}
              ofProject={ofProject}
              columns={columns}
            />
          );
        })}
      </div>
      {more?.busy && (
        <p className="dim loading" role="status">
          Loading more jobs…
        </p>
      )}
    </div>
  );
}
