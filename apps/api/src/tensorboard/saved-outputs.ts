import type { Entry } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { one } from '../jobs/sql.js';
import { type SnapshotRow, snapshotColumns } from '../snapshots/access.js';
import { openManifests } from '../snapshots/snapshots.js';

/** What jobs have saved of their outputs so far: a running job's worker does so every few seconds. */
export interface SavedOutputs {
  /** undefined: nothing yet. */
  of(jobId: string): Promise<SnapshotRow | undefined>;
  entries(output: SnapshotRow): Promise<Iterable<Entry>>;
}

export function openSavedOutputs(deps: Deps): SavedOutputs {
  return {
    of: (jobId) =>
      one<SnapshotRow>(
        deps.pool,
        `SELECT ${snapshotColumns} FROM "Snapshot" WHERE id = (SELECT "outputSnapshotId" FROM "Job" WHERE id = $1)`,
        [jobId],
      ),
    entries: openManifests(deps),
  };
}
