import type { WorkerInfo, WorkerUse } from '@mycloud/shared/browser';
import { CircleCheck, CirclePause, CircleX } from 'lucide-react';
import { Link } from 'react-router';
import { countText, memoryText, timeText } from '../ui/format.js';
import { DrainButton } from './drain-button.js';
import { Meter } from './meter.js';

/** A worker, its computer with what of it is in use, and what it runs. */
export function WorkerCard({ worker, admin }: { worker: WorkerInfo; admin: boolean }) {
  const { name, alive, draining, jobs, otherJobs, use } = worker;
  return (
    <li className="card worker">
      <h2>
        {name}
        <WorkerState worker={worker} />
      </h2>
      <p className="dim">
        {worker.cores} cores · {memoryText(worker.memoryBytes)} ·{' '}
        {worker.gpus > 0 ? countText(worker.gpus, 'GPU') : 'no GPU'} · {worker.runner} · offers{' '}
        {worker.machines.join(', ')}
      </p>
      {alive && use && <Use worker={worker} use={use} />}
      <ul className="plain">
        {jobs.map((job) => (
          <li key={job}>
            runs <Link to={`/${job}`}>{job}</Link>
          </li>
        ))}
        {otherJobs > 0 && <li>runs {countText(otherJobs, 'job')} of others</li>}
        {alive && jobs.length + otherJobs === 0 && <li className="dim">{draining ? 'drained' : 'idle'}</li>}
      </ul>
      {admin && <DrainButton worker={worker} />}
    </li>
  );
}

function WorkerState({ worker }: { worker: WorkerInfo }) {
  const { alive, draining, lastSeenAt } = worker;
  const Icon = !alive ? CircleX : draining ? CirclePause : CircleCheck;
  return (
    <span className={`alive ${!alive ? 'is-away' : draining ? 'is-draining' : 'is-alive'}`}>
      <Icon size={14} aria-hidden />
      {!alive ? `away since ${timeText(lastSeenAt, Date.now())}` : draining ? 'takes nothing new' : 'here'}
      {!alive && draining && ', drained'}
    </span>
  );
}

function Use({ worker, use }: { worker: WorkerInfo; use: WorkerUse }) {
  const share = (part: number, whole: number) => (whole > 0 ? (100 * part) / whole : 0);
  return (
    <div className="meters">
      <Meter name="CPU" percent={use.cpuPercent} />
      <Meter
        name="Memory"
        percent={share(use.memoryBytes, worker.memoryBytes)}
        text={memoryText(use.memoryBytes)}
      />
      {use.gpus.map((gpu) => (
        <div key={gpu.index} className="meters">
          <Meter name={`GPU ${gpu.index}`} percent={gpu.percent} title={gpu.name} />
          <Meter
            name={`GPU ${gpu.index} memory`}
            percent={share(gpu.memoryUsedBytes, gpu.memoryBytes)}
            text={`${memoryText(gpu.memoryUsedBytes)} of ${memoryText(gpu.memoryBytes)}`}
            title={gpu.name}
          />
        </div>
      ))}
    </div>
  );
}
