import { AppError } from '@mycloud/shared';
import { one, type Sql } from './sql.js';
import type { LockedJob } from './transitions/lock.js';

/**
 * An output belongs to the owner of the job's project, or (stored through an older api, which knows no teams) to who submitted it:
 * no worker can hand one user's files to another.
 */
export async function checkOutput(
  sql: Sql,
  { projectOwner, ownerId }: Pick<LockedJob, 'projectOwner' | 'ownerId'>,
  snapshotId: string | null,
): Promise<void> {
  if (snapshotId === null) return;
  const found = await one(sql, 'SELECT 1 FROM "Snapshot" WHERE id = $1 AND "ownerId" = ANY($2)', [
    snapshotId,
    [projectOwner, ownerId],
  ]);
  if (!found)
    throw new AppError('bad_request', `the output ${snapshotId} is no snapshot of the job's owner`, {
      hint: 'Commit it with the proof of this attempt, then name it.',
    });
}
