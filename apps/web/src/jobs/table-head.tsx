import { betterWay } from '@mycloud/shared/browser';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useSearchParams } from 'react-router';
import type { JobFilter } from '../api/queries.js';
import { type ColumnId, isSortable, metricOf, titleOf } from './columns.js';

/** The columns' titles; pressing one sorts by it: best, longest or newest first, then the other way, then as usual. */
export function TableHead({ columns, filter }: { columns: readonly ColumnId[]; filter: JobFilter }) {
  const [, setSearch] = useSearchParams();
  const sortedBy = filter.sort ?? 'made';
  const order = filter.order ?? 'desc';
  const press = (column: ColumnId) => {
    const first = betterWay(metricOf(column) ?? '') === 'low' ? 'asc' : 'desc';
    const second = first === 'asc' ? 'desc' : 'asc';
    const next = sortedBy !== column ? first : order === first ? second : undefined;
    setSearch(
      (old) => {
        old.delete('sort');
        old.delete('order');
        if (next && column !== 'made') old.set('sort', column);
        if (next === 'asc') old.set('order', next);
        return old;
      },
      { replace: true },
    );
  };
  return (
    <div role="rowgroup" className="jobs-head">
      <div role="row" className="job-row">
        <span role="columnheader" className="col-check">
          <span className="sr-only">Chosen</span>
        </span>
        <span role="columnheader" className="col-status">
          Status
        </span>
        <span role="columnheader" className="job-what">
          Job
        </span>
        {columns.map((column) => {
          const title = titleOf(column);
          const sorted = sortedBy === column;
          const Arrow = order === 'asc' ? ArrowUp : ArrowDown;
          return (
            <span
              role="columnheader"
              key={column}
              className={metricOf(column) === undefined ? `col-${column}` : 'metric'}
              title={title}
              aria-sort={sorted ? (order === 'asc' ? 'ascending' : 'descending') : undefined}
            >
              {isSortable(column) ? (
                <button type="button" className="sort" onClick={() => press(column)}>
                  {sorted && <Arrow size={12} aria-hidden />}
                  <span>{title}</span>
                </button>
              ) : (
                title
              )}
            </span>
          );
        })}
      </div>
    </div>
  );
}
