import type { QueuedJob } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { queueQuery } from '../api/queries.js';
import { countText, durationText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { VirtualList } from '../ui/virtual-list.js';

const rowHeight = 68;

/** Who waits, with their places in the lines of their machines and the reasons. */
export function Queue() {
  const found = useQuery(queueQuery);
  const now = useNow();
  if (found.error && !found.data)
    return <ErrorNotice error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading what="the queue" />;
  const { items, total } = found.data;
  const hidden = total - items.length;
  return (
    <>
      {items.length > 0 && (
        <div className="queue">
          <VirtualList items={items} rowHeight={rowHeight} keyOf={(job) => job.id} label="Queue">
            {(job) => <Waiting job={job} now={now} />}
          </VirtualList>
        </div>
      )}
      {total === 0 && <p className="dim">Nothing waits.</p>}
      {hidden > 0 && <p className="dim">{countText(hidden, 'more job')} wait, which are not shown.</p>}
    </>
  );
}

const Waiting = ({ job, now }: { job: QueuedJob; now: number }) => (
  <div className="waiting">
    <b className="number place" title={`Place ${job.place} in line for ${job.machine}`}>
      {job.place}
    </b>
    <span className="waiting-what">
      <Link to={`/${job.name}`}>{job.name}</Link>
      <small className="dim" title={job.reason}>
        {job.reason}
      </small>
    </span>
    <span className="dim number">{durationText(now - Date.parse(job.queuedAt))}</span>
  </div>
);
