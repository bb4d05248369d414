import { Fragment } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useHead } from '../ui/head.js';
import { Empty } from '../ui/notice.js';
import { Board } from './board.js';

/** One TensorBoard for several jobs: `/tensorboard?jobs=lab/projects/cats/1,lab/projects/cats/2`. */
export function TensorboardPage() {
  const [search] = useSearchParams();
  const jobs = (search.get('jobs') ?? '').split(',').filter(Boolean);
  useHead('TensorBoard');
  return (
    <div className="page">
      <header className="page-head">
        <h1>TensorBoard</h1>
        {jobs.length > 0 && (
          <p className="dim">
            {jobs.map((job, i) => (
              <Fragment key={job}>
                {i > 0 && ', '}
                <Link to={`/${job}`}>{job}</Link>
              </Fragment>
            ))}
          </p>
        )}
      </header>
      {jobs.length > 0 ? (
        <Board jobs={jobs.join()} live />
      ) : (
        <Empty title="Of which jobs?">
          Select jobs in the list, or open the TensorBoard tab of one; the address names them: ?jobs=…,…
        </Empty>
      )}
    </div>
  );
}
