import { isEnd } from '@mycloud/shared/browser';
import { Link } from 'react-router';
import { useRights } from '../api/rights.js';
import { CopyText } from '../ui/copy.js';
import { EditableText } from '../ui/editable-text.js';
import { fullTime, timeText } from '../ui/format.js';
import { useNow } from '../ui/now.js';
import { Status } from '../ui/status.js';
import { runAgain } from './command.js';
import { DeleteButton } from './delete-button.js';
import { Duration } from './duration.js';
import type { TabProps } from './job-page.js';
import { JobTags } from './job-tags.js';
import { OpenLink } from './open-link.js';
import { RestartButton } from './restart-button.js';
import { StopButton } from './stop-button.js';
import { useEditJob } from './use-edit-job.js';

/** What it is, where it stands, and why. */
export function JobHeader({ job, at }: TabProps) {
  const now = useNow();
  const { change, submit, remove } = useRights(at.owner);
  const edit = useEditJob(at);
  return (
    <header className="job-header">
      <p className="crumbs">
        <Link to="/">Jobs</Link> / {at.owner} /{' '}
        <Link to={`/${at.owner}/projects/${at.project}`}>{at.project}</Link>
      </p>
      <div className="job-title">
        <h1>
          {at.project} <span className="dim">#{job.number}</span>
        </h1>
        <Status status={job.status} large />
        <div className="job-actions">
          <OpenLink job={job} />
          {submit && <RestartButton job={job} at={at} />}
          {change && !isEnd(job.status) && <StopButton job={job} at={at} />}
          {remove && <DeleteButton job={job} at={at} />}
        </div>
      </div>
      {job.message && (
        <p className={`why why-${job.status}`} data-testid="why">
          {job.message}
        </p>
      )}
      <EditableText
        what="description"
        text={job.description}
        editable={change}
        save={(description) => edit({ description }, 'The description was changed', job.revision)}
      />
      <JobTags job={job} at={at} />
      <EditableText
        what="note"
        className="job-note"
        text={job.note}
        editable={change}
        save={(note) => edit({ note }, 'The note was saved', job.revision)}
      />
      <dl className="facts">
        <div>
          <dt>{job.status === 'queued' ? 'Waits for' : 'Duration'}</dt>
          <dd className="number" data-testid="duration">
            <Duration job={job} />
          </dd>
        </div>
        {job.mode !== 'command' && (
          <div>
            <dt>Mode</dt>
            <dd>{job.mode}</dd>
          </div>
        )}
        <div>
          <dt>Machine</dt>
          <dd>{job.machine}</dd>
        </div>
        {job.worker && (
          <div>
            <dt>Worker</dt>
            <dd>{job.worker}</dd>
          </div>
        )}
        <div>
          <dt>Environment</dt>
          <dd>{job.environment}</dd>
        </div>
        <div>
          <dt>Made</dt>
          <dd title={fullTime(job.createdAt)}>{timeText(job.createdAt, now)}</dd>
        </div>
      </dl>
      <CopyText text={runAgain(job)} label="Copy the command that runs it again" />
    </header>
  );
}
