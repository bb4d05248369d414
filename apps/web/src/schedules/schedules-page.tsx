import { useQuery } from '@tanstack/react-query';
import { schedulesQuery } from '../api/queries.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { ScheduleCard } from './schedule-card.js';
import '../styles/schedules.css';

/** What the clock submits, when it does so next, and what came of the last times. */
export function SchedulesPage() {
  useHead('Schedules');
  const schedules = useQuery(schedulesQuery);
  return (
    <div className="page">
      <h1>Schedules</h1>
      {schedules.error && !schedules.data && (
        <ErrorNotice error={schedules.error} retry={() => schedules.refetch()} />
      )}
      {schedules.isPending && <Loading what="schedules" />}
      {schedules.data?.items.length === 0 && (
        <Empty
          title="No schedule yet"
          commands={['mycloud schedule create --cron "0 3 * * *" "train --logdir /output/Graph"']}
        >
          Made in a folder with code, which is then run as it was:
        </Empty>
      )}
      <ul className="cards">
        {schedules.data?.items.map((schedule) => (
          <ScheduleCard key={schedule.id} schedule={schedule} />
        ))}
      </ul>
    </div>
  );
}
