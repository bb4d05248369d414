import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { jobBeforeQuery } from '../api/queries.js';
import { compareAddress } from '../compare/address.js';
import { TreeDiff } from '../diff/tree-diff.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import type { TabProps } from './job-page.js';

/** How the code differs from that of the job before, in the same project. */
export function CodeBefore({ job, at }: TabProps) {
  const found = useQuery(jobBeforeQuery(at));
  const before = found.data;
  return (
    <section aria-labelledby="code-before">
      <div className="section-head">
        <h2 id="code-before">Code{before ? `, since #${before.number}` : ''}</h2>
        {before && (
          <Link to={compareAddress([before.name, job.name])}>Compare all of it with #{before.number}</Link>
        )}
      </div>
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="the job before" />}
      {before === null && <p className="dim">There is no job before it to compare it with.</p>}
      {before && <Difference before={before.codeSnapshotId} after={job.codeSnapshotId} />}
    </section>
  );
}

function Difference({ before, after }: { before: string | null; after: string | null }) {
  if (before === after) return <p className="dim">The very same code.</p>;
  if (after === null) return <p className="dim">It was submitted without code.</p>;
  if (before === null) return <p className="dim">The job before was submitted without code.</p>;
  return <TreeDiff before={before} after={after} />;
}
