import type { Job } from '@mycloud/shared/browser';
import { useState } from 'react';
import { useSetInAddress } from '../ui/address.js';
import { Dialog } from '../ui/dialog.js';
import { byInterest, type ColumnId, ordered, ownColumns, titleOf, writeColumns } from './columns.js';

interface Props {
  /** Those shown. */
  columns: readonly ColumnId[];
  jobs: readonly Job[];
  onClose: () => void;
}

/** So many metrics are looked through at a glance. */
const few = 12;

/** Which columns the list has; what is ticked is shown at once. */
export function ColumnDialog({ columns, jobs, onClose }: Props) {
  const set = useSetInAddress();
  const [filter, setFilter] = useState('');
  const metrics = [...new Set(jobs.flatMap((job) => Object.keys(job.metrics)))].sort(byInterest);
  const wanted = metrics.filter((name) => name.toLowerCase().includes(filter.toLowerCase()));
  const box = (id: ColumnId) => (
    <label key={id} className="check">
      <input
        type="checkbox"
        checked={columns.includes(id)}
        onChange={(event) => {
          const next = event.target.checked ? [...columns, id] : columns.filter((one) => one !== id);
          // All taken away is a choice too: what is no column stands for none.
          set('cols', writeColumns(ordered(next)) || 'none');
        }}
      />
      <span>{titleOf(id)}</span>
    </label>
  );
  return (
    <Dialog title="Columns" onClose={onClose}>
      <div className="column-choice">{ownColumns.map(box)}</div>
      {metrics.length > 0 && <h3>Metrics</h3>}
      {metrics.length > few && (
        <input
          type="search"
          placeholder="Filter metrics"
          aria-label="Filter metrics"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      <div className="column-choice">{wanted.map((name) => box(`metric:${name}`))}</div>
      <form method="dialog" className="buttons">
        <button type="button" className="button" onClick={() => set('cols', '')}>
          Defaults
        </button>
        <button type="submit" className="button button-primary">
          Done
        </button>
      </form>
    </Dialog>
  );
}
