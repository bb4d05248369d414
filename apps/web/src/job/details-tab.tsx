import type { JobEvent } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { eventsQuery } from '../api/queries.js';
import { durationText, fullTime } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { SettingsList } from '../ui/settings-list.js';
import { CodeBefore } from './code-before.js';
import type { TabProps } from './job-page.js';

/** What was asked for, and each step of its life. */
export function DetailsTab({ job, at }: TabProps) {
  const events = useQuery(eventsQuery(at, job));
  const rows: [string, ReactNode][] = [
    ['Mode', job.mode],
    ['Command', <code key="c">{job.command}</code>],
    ['Description', job.description || '–'],
    ['Machine', job.machine],
    ['Environment', job.environment],
    [
      'Variables',
      job.envNames.length > 0 ? <code key="v">{job.envNames.join(', ')}</code> : 'none of its own',
    ],
    ['TensorBoard', job.tensorboard ? 'asked for' : 'not asked for'],
    ['Max runtime', job.maxRuntimeSeconds ? durationText(job.maxRuntimeSeconds * 1000) : 'none'],
    ...(job.mode === 'jupyter'
      ? [
          ['Ends when idle for', job.idleSeconds ? durationText(job.idleSeconds * 1000) : 'never'] as [
            string,
            ReactNode,
          ],
        ]
      : []),
    ...(job.schedule
      ? [
          [
            'Schedule',
            <Link key="s" to="/schedules">
              {job.schedule}
            </Link>,
          ] as [string, ReactNode],
        ]
      : []),
    ['Retries', job.retries],
    ['Attempt', job.attempt || 'none yet'],
    ['Exit code', job.exitCode ?? '–'],
    ['Made', fullTime(job.createdAt)],
    ['Started', job.startedAt ? fullTime(job.startedAt) : '–'],
    ['Finished', job.finishedAt ? fullTime(job.finishedAt) : '–'],
  ];
  return (
    <>
      <div className="details">
        <section>
          <h2>Settings</h2>
          <SettingsList rows={rows} />
          <h2>Mounts</h2>
          {job.mounts.length === 0 ? (
            <p className="dim">None.</p>
          ) : (
            <ul className="plain">
              {job.mounts.map((mount) => (
                <li key={mount.name}>
                  <code>/{mount.name}</code> is{' '}
                  <Link to={`/${mount.source.replace(/\/output$/, '/files')}`}>{mount.source}</Link>
                </li>
              ))}
            </ul>
          )}
        </section>
        <section>
          <h2>Timeline</h2>
          {events.error && <ErrorNotice error={events.error} retry={() => events.refetch()} />}
          {events.isPending && <Loading what="the timeline" />}
          {events.data && <Timeline events={events.data.items} />}
        </section>
      </div>
      <CodeBefore job={job} at={at} />
    </>
  );
}

function Timeline({ events }: { events: JobEvent[] }) {
  const several = events.some((event) => event.attempt > 1);
  return (
    <ol className="timeline">
      {events.map((event, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: events are only ever added at the end
        <li key={i} data-type={event.type}>
          <strong>{event.type.replaceAll('_', ' ')}</strong> {event.message}
          <small>
            {fullTime(event.time)}
            {i > 0 && `, ${durationText(Date.parse(event.time) - Date.parse(events[i - 1]!.time))} later`}
            {several && event.attempt > 0 && ` · attempt ${event.attempt}`}
          </small>
        </li>
      ))}
    </ol>
  );
}
