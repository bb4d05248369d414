import type { Job } from '@mycloud/shared/browser';
import { CalendarClock } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Duration } from '../job/duration.js';
import { timeText, valueText } from '../ui/format.js';
import { useNow } from '../ui/now.js';
import { Status } from '../ui/status.js';
import { toggleChosen } from './chosen.js';
import { type ColumnId, metricOf } from './columns.js';
import { Tags } from './tags.js';

interface Props {
  job: Job;
  index: number;
  top: number;
  height: number;
  /** The keys' place in the list is here. */
  current: boolean;
  chosen: boolean;
  ofProject: boolean;
  columns: readonly ColumnId[];
}

export const JobRow = memo(function JobRow(props: Props) {
  const { job, index, top, height, current, chosen, ofProject, columns } = props;
  const name = `${job.project} #${job.number}`;
  return (
    <div
      role="row"
      className={`job-row ${current ? 'current' : ''}`}
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)`, height }}
    >
      <span role="cell" className="col-check">
        <input
          type="checkbox"
          checked={chosen}
          onChange={() => toggleChosen(job.name)}
          aria-label={`Choose ${name}`}
        />
      </span>
      <span role="cell" className="col-status">
        <Status status={job.status} />
      </span>
      <span role="cell" className="job-what">
        <span className="job-line">
          <Link to={`/${job.name}`} className="row-link">
            {!ofProject && <span className="job-project">{job.project}</span>}
            <span>#{job.number}</span>
            {job.schedule && (
              <span className="job-schedule" title={`Submitted by the schedule ${job.schedule}`}>
                <CalendarClock size={13} aria-hidden /> {job.schedule}
              </span>
            )}
            {job.description && !columns.includes('description') && (
              <span className="job-description">{job.description}</span>
            )}
          </Link>
          {!columns.includes('tags') && <Tags tags={job.tags} />}
        </span>
        <code title={job.command}>
          {job.message && job.status !== 'succeeded' ? `${job.message} — ${job.command}` : job.command}
        </code>
      </span>
      {columns.map((column) => {
        const metric = metricOf(column);
        return metric === undefined ? (
          <span role="cell" key={column} className={`col-${column}`}>
            <OwnCell job={job} column={column} columns={columns} />
          </span>
        ) : (
          <span role="cell" key={column} className="metric number" data-name={metric}>
            {valueText(job.metrics[metric])}
          </span>
        );
      })}
    </div>
  );
});

function OwnCell({ job, column, columns }: Pick<Props, 'job' | 'columns'> & { column: ColumnId }): ReactNode {
  if (column === 'description') return <span title={job.description}>{job.description}</span>;
  if (column === 'tags') return <Tags tags={job.tags} />;
  if (column === 'environment') return job.environment;
  if (column === 'worker') return job.worker ?? '–';
  if (column === 'duration') return <Duration job={job} />;
  if (column === 'made') return <Made at={job.createdAt} />;
  const worker = columns.includes('worker') ? null : job.worker;
  return (
    <>
      {job.machine}
      {worker && <small>{worker}</small>}
    </>
  );
}

const Made = ({ at }: { at: string }) => (
  <time className="dim" dateTime={at} title={at}>
    {timeText(at, useNow())}
  </time>
);
