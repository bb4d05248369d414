import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { usesQuery } from '../api/queries.js';
import { timeText } from '../ui/format.js';
import { MoreButton } from '../ui/more-button.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { Status } from '../ui/status.js';

interface Props {
  owner: string;
  dataset: string;
  /** Undefined: of all versions. */
  number?: number;
}

/** The jobs that mount a version, or any of a dataset, as far as one may see them. */
export function Uses({ owner, dataset, number }: Props) {
  const found = useInfiniteQuery(usesQuery(owner, dataset, number));
  const uses = found.data?.pages.flatMap((page) => page.items);
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!uses) return <Loading what="who uses it" />;
  if (uses.length === 0) return <p className="dim">No job that you may see mounts it.</p>;
  return (
    <div className="uses">
      <ul>
        {uses.map((use) => (
          <li key={use.id}>
            <Link to={`/${use.job}`}>{use.job}</Link>
            <Status status={use.status} />
            <span className="dim">
              {number === undefined && `version ${use.number} · `}
              {timeText(use.createdAt, Date.now())}
            </span>
          </li>
        ))}
      </ul>
      <MoreButton list={found}>More jobs</MoreButton>
    </div>
  );
}
