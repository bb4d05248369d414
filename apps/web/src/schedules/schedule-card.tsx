import type { Schedule, ScheduleRun } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CalendarClock, CirclePause, Pause, Play, SkipForward } from 'lucide-react';
import { Link, useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { useRights } from '../api/rights.js';
import { DeleteButton } from '../ui/delete-button.js';
import { fullTime, timeText } from '../ui/format.js';
import { ErrorNotice } from '../ui/notice.js';
import { useNow } from '../ui/now.js';

const path = '/v1/projects/:owner/:project/schedules/:name';

/** A schedule, and what its owner may do with it. */
export function ScheduleCard({ schedule }: { schedule: Schedule }) {
  const { owner, project, name, cron, timezone, overlap, paused, nextRunAt, command, runs } = schedule;
  const { change } = useRights(owner);
  const now = useNow();
  return (
    <li className="card schedule" aria-label={name}>
      <h2>
        {name}
        <span className={paused ? 'schedule-state is-paused' : 'schedule-state'}>
          {paused ? <CirclePause size={14} aria-hidden /> : <CalendarClock size={14} aria-hidden />}
          {nextRunAt ? (
            <time dateTime={nextRunAt} title={fullTime(nextRunAt)}>
              next {timeText(nextRunAt, now)}
            </time>
          ) : (
            'paused'
          )}
        </span>
      </h2>
      <p className="dim">
        <Link to={`/${owner}/projects/${project}`}>
          {owner}/projects/{project}
        </Link>{' '}
        · <code>{cron}</code> {timezone} · {schedule.machine} ·{' '}
        {overlap === 'skip' ? 'skipped while one runs' : 'queued while one runs'}
      </p>
      <code className="schedule-command" title={command}>
        {command}
      </code>
      <Runs runs={runs} now={now} />
      {change && <Actions schedule={schedule} />}
    </li>
  );
}

function Runs({ runs, now }: { runs: ScheduleRun[]; now: number }) {
  if (runs.length === 0) return <p className="dim">It has not run yet.</p>;
  return (
    <ul className="plain schedule-runs" aria-label="Last runs">
      {runs.slice(0, 5).map((run) => (
        <li key={`${run.dueAt} ${run.ranAt}`} data-outcome={run.outcome}>
          <time dateTime={run.dueAt} title={fullTime(run.dueAt)}>
            {timeText(run.dueAt, now)}
          </time>{' '}
          {run.job ? <Link to={`/${run.job}`}>#{run.job.split('/').at(-1)}</Link> : run.outcome}
          {run.manual && <small> by hand</small>}
          {run.message && <small> {run.message}</small>}
        </li>
      ))}
    </ul>
  );
}

function Actions({ schedule }: { schedule: Schedule }) {
  const { owner, project, name, paused } = schedule;
  const client = useQueryClient();
  const navigate = useNavigate();
  const params = { owner, project, name };
  const reread = () => client.invalidateQueries({ queryKey: ['schedules'] });
  const pause = useMutation({
    mutationFn: () => call(`PATCH ${path}`, { params, body: { paused: !paused } }),
    onSuccess: reread,
  });
  const run = useMutation({
    mutationFn: () => call(`POST ${path}/run`, { params }),
    onSuccess: async (job) => {
      await reread();
      await navigate(`/${job.name}`);
    },
  });
  const busy = pause.isPending || run.isPending;
  return (
    <>
      <div className="buttons">
        <button type="button" className="button" disabled={busy} onClick={() => pause.mutate()}>
          {paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
          {paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => run.mutate()}>
          <SkipForward size={14} aria-hidden /> Run now
        </button>
        <DeleteButton
          name={name}
          word="Delete"
          remove={async () => {
            await call(`DELETE ${path}`, { params });
            await reread();
          }}
        >
          <p>Nothing is submitted by it any more. The jobs it submitted stay, with their logs and output.</p>
        </DeleteButton>
      </div>
      {(pause.error ?? run.error) && <ErrorNotice error={pause.error ?? run.error} />}
    </>
  );
}
