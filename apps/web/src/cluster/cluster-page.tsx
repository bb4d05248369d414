import type { Job, WorkerInfo } from '@mycloud/shared/browser';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX } from 'lucide-react';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { jobQuery, jobsQuery, machinesQuery, workersQuery } from '../api/queries.js';
import { Duration } from '../job/duration.js';
import { countText, memoryText, timeText } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';

/** Of so many in line the reason is asked for; the rest wait behind them. */
const explained = 20;
const mostWaiting = 2000;

export function ClusterPage() {
  useHead('Cluster');
  const workers = useQuery(workersQuery);
  const machines = useQuery(machinesQuery);
  const queue = useInfiniteQuery(jobsQuery({ status: 'queued' }));
  const waiting = queue.data?.pages.flatMap((page) => page.items) ?? [];
  // The list is newest first, and the first in line is at its end.
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = queue;
  const whole = !hasNextPage || waiting.length >= mostWaiting;
  useEffect(() => {
    if (!whole && !isFetchingNextPage) void fetchNextPage({ cancelRefetch: false });
  }, [whole, isFetchingNextPage, fetchNextPage]);
  return (
    <div className="page">
      <h1>Cluster</h1>
      <h2 className="section-title">Workers</h2>
      {workers.error && !workers.data && (
        <ErrorNotice error={workers.error} retry={() => workers.refetch()} />
      )}
      {workers.isPending && <Loading what="workers" />}
      {workers.data?.items.length === 0 && (
        <Empty title="No worker yet" commands={['mycloud token create --worker']}>
          `mycloud up` brings one; on another computer start it with a worker’s token:
        </Empty>
      )}
      <ul className="cards">
        {workers.data?.items.map((worker) => (
          <WorkerCard key={worker.id} worker={worker} />
        ))}
      </ul>
      {machines.data && (
        <>
          <h2 className="section-title">Machines one may ask for</h2>
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  {['Machine', 'Cores', 'Memory', 'GPUs', 'Offered by'].map((title) => (
                    <th key={title} scope="col">
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {machines.data.items.map((machine) => (
                  <tr key={machine.name}>
                    <th scope="row">{machine.name}</th>
                    <td className="number">{machine.cores}</td>
                    <td className="number">{memoryText(machine.memoryBytes)}</td>
                    <td className="number">{machine.gpus}</td>
                    <td>{countText(machine.workers, 'worker')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      <h2 className="section-title">Queue, longest waiting first</h2>
      {waiting.length >= mostWaiting && hasNextPage && (
        <p className="notice">
          More than {countText(mostWaiting, 'job')} wait; these are the newest of them.
        </p>
      )}
      {!whole && <Loading what="the queue" />}
      {queue.data && waiting.length === 0 && <p className="dim">Nothing waits.</p>}
      {whole && waiting.length > 0 && (
        <ul className="queue">
          {waiting
            .toReversed()
            .map((job, i) =>
              i < explained ? <Explained key={job.id} job={job} /> : <Waiting key={job.id} job={job} />,
            )}
        </ul>
      )}
    </div>
  );
}

function WorkerCard({ worker }: { worker: WorkerInfo }) {
  const Icon = worker.alive ? CircleCheck : CircleX;
  return (
    <li className="card">
      <h2>
        {worker.name}
        <span className={`alive ${worker.alive ? 'is-alive' : 'is-away'}`}>
          <Icon size={14} aria-hidden />
          {worker.alive ? 'here' : `away since ${timeText(worker.lastSeenAt, Date.now())}`}
        </span>
      </h2>
      <p className="dim">
        {worker.cores} cores · {memoryText(worker.memoryBytes)} ·{' '}
        {worker.gpus > 0 ? countText(worker.gpus, 'GPU') : 'no GPU'} · {worker.runner}
      </p>
      <p className="dim">offers {worker.machines.join(', ')}</p>
      {worker.jobs.length > 0 ? (
        <ul className="plain">
          {worker.jobs.map((name) => (
            <li key={name}>
              runs <Link to={`/${name}`}>{name}</Link>
            </li>
          ))}
        </ul>
      ) : (
        <p>{worker.alive ? 'idle' : ''}</p>
      )}
    </li>
  );
}

/** With its place in line, which only its own route knows. */
function Explained({ job }: { job: Job }) {
  const found = useQuery({ ...jobQuery(job), refetchInterval: 5000 });
  return <Waiting job={found.data ?? job} />;
}

const Waiting = ({ job }: { job: Job }) => (
  <li>
    <Link to={`/${job.name}`}>
      {job.project} #{job.number}
    </Link>
    <span>{job.message}</span>
    <span className="dim number">
      <Duration job={job} />
    </span>
  </li>
);
