import { ChartLine, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { jobKey } from '../api/queries.js';
import { LineSwatch } from '../charts/line-look.js';
import { useSetInAddress } from '../ui/address.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { Status } from '../ui/status.js';
import { readJobs } from './address.js';
import { CodeCompare } from './code-compare.js';
import { Coordinates } from './coordinates.js';
import { DifferenceTable } from './difference-table.js';
import { OverlaidCharts } from './overlaid-charts.js';
import { compareRows } from './rows.js';
import { type Compared, useCodeHashes, useExtremes, useJobs } from './use-compared.js';
import '../styles/compare.css';

/** Jobs side by side. Which, and how they are drawn, stands in the address. */
export function ComparePage() {
  const [search] = useSearchParams();
  const refs = readJobs(search.get('jobs') ?? '');
  const { compared, errors, pending } = useJobs(refs);
  useHead(`Compare ${compared.map(({ word }) => word).join(', ')}`);
  return (
    <div className="page">
      <div className="page-head">
        <p className="crumbs">
          <Link to="/">Jobs</Link>
        </p>
        <div className="job-title">
          <h1>{refs.length < 2 ? 'Compare jobs' : `Compare ${refs.length} jobs`}</h1>
          {refs.length > 0 && (
            <Link className="button" to={`/tensorboard?jobs=${refs.map(jobKey).join(',')}`}>
              <ChartLine size={14} aria-hidden /> TensorBoard
            </Link>
          )}
        </div>
      </div>
      {errors.map(({ at, error }) => (
        <ErrorNotice key={jobKey(at)} error={error} />
      ))}
      {refs.length < 2 ? (
        <Empty title="Choose two jobs or more">
          Mark them in the <Link to="/">list of jobs</Link>, by their boxes or with the key x, then press
          Compare.
        </Empty>
      ) : pending ? (
        <Loading what="the jobs" />
      ) : (
        compared.length > 0 && <Comparison compared={compared} />
      )}
    </div>
  );
}

function Comparison({ compared }: { compared: Compared[] }) {
  const now = useNow();
  const extremes = useExtremes(compared);
  const codeHash = useCodeHashes(compared);
  const rows = compareRows({ jobs: compared.map(({ job }) => job), extremes, codeHash, now });
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  // Each second the table tells new durations; the charts needn't be drawn anew for that.
  const charts = useMemo(
    () => <OverlaidCharts compared={compared.filter(({ job }) => !left.has(job.name))} />,
    [compared, left],
  );
  return (
    <>
      <JobChips compared={compared} left={left} />
      {compared.length > 2 && <Coordinates compared={compared} rows={rows} onLeave={setLeft} />}
      <DifferenceTable compared={compared} left={left} rows={rows} />
      {charts}
      {compared.length > 1 && <CodeCompare compared={compared} />}
    </>
  );
}

/** Which line is which job. */
function JobChips({ compared, left }: { compared: Compared[]; left: ReadonlySet<string> }) {
  const set = useSetInAddress();
  const without = (name: string) =>
    compared.flatMap(({ job }) => (job.name === name ? [] : job.name)).join(',');
  return (
    <ul className="chips" aria-label="Compared jobs">
      {compared.map(({ job, word, look }) => (
        <li key={job.name} className="chip" data-left={left.has(job.name) || undefined}>
          <LineSwatch n={look} />
          <Link to={`/${job.name}`} title={job.command}>
            {word}
          </Link>
          <Status status={job.status} />
          {job.description && <span className="dim">{job.description}</span>}
          <button
            type="button"
            className="icon-button"
            onClick={() => set('jobs', without(job.name))}
            aria-label={`Take ${word} out`}
            title={`Take ${word} out`}
          >
            <X size={14} aria-hidden />
          </button>
        </li>
      ))}
    </ul>
  );
}
